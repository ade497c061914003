import { numberText, percentText, spanText } from '../core/figures.ts';
import type { Usual, UsualKind, UsualLine } from '../core/usual.ts';
import { type Baseline, WHOLE } from './baseline.ts';
import { CLIENT_COUNTERS, type ClientModels } from './clients.ts';
import { BUCKETS, edgesOf, floorOf, usualOf, valleyOf } from './latency.ts';
import { FIRST, LAST, SAMPLES } from './model-table.ts';
import { usualAt, WEEK_BINS } from './season.ts';
import { COUNTERS, type ServerModels } from './servers.ts';
import type { TopList } from './top-list.ts';
import { ZONE_COUNTERS, type ZoneModels } from './zones.ts';

type Models = ServerModels | ClientModels | ZoneModels;
const WEEK_SECONDS = 7 * 86_400;

/** What is known of a key: `*` for all traffic, an address (as server, and as client), a registrable domain. */
export function describe(baseline: Baseline, key: string): Usual[] {
  if (key === WHOLE || key === 'whole')
    return baseline.all < 0 ? [] : [describeServer(baseline, 'whole', baseline.all)];
  const folded = key.toLowerCase();
  const server = baseline.servers.table.find(folded);
  const client = baseline.clients.table.find(folded);
  const zone = baseline.zones.table.find(folded);
  return [
    ...(server < 0 ? [] : [describeServer(baseline, 'server', server)]),
    ...(client < 0 ? [] : [describeClient(baseline, client)]),
    ...(zone < 0 ? [] : [describeZone(baseline, zone)]),
  ];
}

/** Keys of a kind, those with the most samples first. */
export function listUsual(baseline: Baseline, kind: UsualKind, limit: number): UsualLine[] {
  const models = modelsOf(baseline, kind);
  const lines = Array.from(models.table.places(), (place) => ({
    key: models.table.keys[place],
    kind,
    samples: models.table.double(place, SAMPLES),
    lastSeen: models.table.double(place, LAST),
    isWarm: baseline.isWarm(models, place),
  }));
  return lines.sort((a, b) => b.samples - a.samples || (a.key < b.key ? -1 : 1)).slice(0, limit);
}

function modelsOf(baseline: Baseline, kind: UsualKind): Models {
  if (kind === 'whole') return baseline.whole;
  return kind === 'server' ? baseline.servers : kind === 'client' ? baseline.clients : baseline.zones;
}

/** What all kinds have. */
function common(baseline: Baseline, models: Models, place: number, kind: UsualKind): Usual {
  const firstSeen = models.table.double(place, FIRST);
  const samples = models.table.double(place, SAMPLES);
  const isWarm = baseline.isWarm(models, place);
  const key = models.table.keys[place];
  const name = kind === 'whole' ? 'All traffic' : key;
  const known = `${name} has been known for ${spanText(Math.max(1, baseline.now - firstSeen))}, from ${numberText(samples)} samples.`;
  return {
    key,
    kind,
    firstSeen,
    lastSeen: models.table.double(place, LAST),
    samples,
    isWarm,
    words: [isWarm ? known : `${known} That is too little to be relied on.`],
    latency: null,
    histogram: [],
    cache: null,
    floor: null,
    drift: null,
    rate: null,
    shares: [],
    lists: [],
  };
}

function describeServer(baseline: Baseline, kind: 'whole' | 'server', place: number): Usual {
  const models = kind === 'whole' ? baseline.whole : baseline.servers;
  const usual = common(baseline, models, place, kind);
  const { floats } = models.table;
  const at = models.latencies(place, 'slow');
  const { words } = usual;
  const latency = usualOf(floats, at);
  const valley = valleyOf(floats, at);
  const floor = floorOf(floats, at);
  usual.latency = latency;
  for (let i = 0; i < BUCKETS; i++) {
    if (floats[at + i] > 0) usual.histogram.push([...edgesOf(i), floats[at + i]]);
  }
  usual.floor = Number.isNaN(floor) ? null : floor;
  usual.drift = baseline.drift(models, place);
  if (valley !== null) usual.cache = { share: valley.share, fast: valley.fast, slow: valley.slow, valley: valley.at };
  if (latency !== null) {
    words.push(
      `Half of its answers come within ${ms(latency.median)} (± ${ms(latency.mad)}), 95 % within ${ms(latency.p95)}, 99 % within ${ms(latency.p99)}.`,
    );
  }
  if (valley !== null) {
    words.push(
      `${percentText(valley.share)} of them come from a cache (about ${ms(valley.fast)}); the others take about ${ms(valley.slow)}.`,
    );
  }
  if (usual.floor !== null) words.push(`Hardly any is faster than ${ms(usual.floor)}.`);
  addRate(usual, models, place, baseline);
  const median = models.weekLatency(place, Math.floor(baseline.now / 3600));
  if (median > 0) words.push(`At this hour of the week half of the answers come within ${ms(median)}.`);
  const queries = models.usual(place, 'queries');
  const part = (one: (typeof COUNTERS)[number]) => ({ name: one, share: models.usual(place, one) / queries });
  if (queries > 0) usual.shares = COUNTERS.slice(1).map(part);
  const failing = usual.shares.filter(({ name }) => name === 'servfail' || name === 'unanswered');
  if (failing.length > 0) {
    words.push(`${failing.map(({ name, share }) => `${percentText(share)} ${WORDS[name]}`).join(', ')}.`);
  }
  if (usual.drift > 0.3) {
    words.push(`The last day differs: its times and the usual ones are ${percentText(usual.drift)} apart.`);
  }
  if (kind === 'whole') {
    const { shapes, shapeTexts } = baseline;
    usual.lists.push({ title: 'shapes of names', rows: rowsOf(shapes, (id) => shapeTexts.text(id)) });
    usual.lists.push({
      title: 'servers of the root',
      rows: baseline.levels.serversOf('.').map(({ key, share }) => ({ key, share })),
    });
  }
  return withoutEmpty(usual);
}

const WORDS: Readonly<Record<string, string>> = { servfail: 'fail with SERVFAIL', unanswered: 'get no answer' };

function describeClient(baseline: Baseline, place: number): Usual {
  const { clients, servers, zones, shapeTexts } = baseline;
  const usual = common(baseline, clients, place, 'client');
  addRate(usual, clients, place, baseline);
  addTypical(usual, clients, place);
  const queries = clients.usual(place, 'queries');
  if (queries > 0) {
    usual.shares = CLIENT_COUNTERS.slice(2).map((name) => ({ name, share: clients.usual(place, name) / queries }));
  }
  const habits = clients.habits(place);
  if (habits === undefined) return withoutEmpty(usual);
  const asked = rowsOf(habits.servers, (id) => servers.table.keyOf(id));
  const domains = rowsOf(habits.domains, (id) => zones.table.keyOf(id));
  if (asked.length > 0) {
    usual.words.push(`It asks ${asked.map(({ key, share }) => `${key} (${percentText(share)})`).join(', ')}.`);
  }
  if (domains.length > 0)
    usual.words.push(
      `Mostly for ${domains
        .slice(0, 5)
        .map(({ key }) => key)
        .join(', ')}.`,
    );
  usual.lists = [
    { title: 'servers it asks', rows: asked },
    { title: 'domains', rows: domains },
    { title: 'shapes of names', rows: rowsOf(habits.shapes, (id) => shapeTexts.text(id)) },
  ];
  return withoutEmpty(usual);
}

function describeZone(baseline: Baseline, place: number): Usual {
  const { zones } = baseline;
  const usual = common(baseline, zones, place, 'domain');
  const { words } = usual;
  addTypical(usual, zones, place);
  const day = zones.day(place);
  const known = day.filter((level) => level >= 0);
  if (known.length > 0) {
    const level = known.reduce((sum, one) => sum + one, 0) / known.length;
    const week = Array.from({ length: WEEK_BINS }, (_, hour) => (day[hour % 24] < 0 ? null : day[hour % 24]));
    usual.rate = { level, spread: 0, week };
    words.push(`It is asked for ${numberText(Number(level.toPrecision(3)))} times an hour.`);
  }
  const queries = zones.usual(place, 'queries');
  if (queries > 0) {
    usual.shares = ZONE_COUNTERS.slice(2).map((name) => ({ name, share: zones.usual(place, name) / queries }));
  }
  const names = zones.nameServersOf(place);
  const servers = zones.authoritiesOf(place);
  if (names.length > 0) words.push(`Its name servers are ${names.join(', ')}.`);
  if (servers.length > 0) words.push(`${servers.join(', ')} answered for it.`);
  if (zones.validated(place) >= 10) words.push('Its answers are validated with DNSSEC.');
  const lengths = zones.lengths(place);
  const paths = lengths.reduce((sum, n) => sum + n, 0);
  if (paths > 0) {
    const mean = lengths.reduce((sum, n, i) => sum + n * (i + 1), 0) / paths;
    words.push(`Where a resolver has to ask for it, it asks ${numberText(Number(mean.toPrecision(2)))} servers.`);
  }
  usual.lists = [
    { title: 'name servers', rows: names.map((key) => ({ key, share: null })) },
    { title: 'authorities', rows: servers.map((key) => ({ key, share: null })) },
    {
      title: 'servers asked, by path',
      rows: Array.from(lengths, (n, i) => ({
        key: `${i + 1}${i === lengths.length - 1 ? ' or more' : ''}`,
        share: n / paths,
      })).filter(({ share }) => share > 0),
    },
  ];
  return withoutEmpty(usual);
}

function addRate(usual: Usual, models: ServerModels | ClientModels, place: number, { now }: Baseline): void {
  const { floats } = models.table;
  const at = models.season(place);
  const weeks = (now - models.table.double(place, FIRST)) / WEEK_SECONDS;
  const here = usualAt(floats, at, Math.floor(now / 3600), weeks);
  if (here === null) return;
  const week = Array.from(floats.subarray(at, at + WEEK_BINS), (level) => (level < 0 ? null : level));
  usual.rate = { level: here.level, spread: here.spread, week };
  usual.words.push(
    `At this hour ${numberText(Number(here.level.toPrecision(3)))} transactions an hour are usual (± ${numberText(Number(here.spread.toPrecision(2)))}).`,
  );
}

function addTypical(usual: Usual, models: ClientModels | ZoneModels, place: number): void {
  if (models.usual(place, 'answers') < 1) return;
  const { mean, deviation } = models.latency(place);
  const [low, middle, high] = [mean - deviation, mean, mean + deviation].map(Math.exp);
  usual.words.push(`Answers take about ${ms(middle)}, two in three between ${ms(low)} and ${ms(high)}.`);
}

function rowsOf(list: TopList<number>, text: (id: number) => string | undefined): { key: string; share: number }[] {
  return list.top(10).flatMap(({ key, share }) => {
    const name = text(key);
    return name === undefined ? [] : [{ key: name, share }];
  });
}

function withoutEmpty(usual: Usual): Usual {
  return { ...usual, lists: usual.lists.filter(({ rows }) => rows.length > 0) };
}

function ms(value: number): string {
  return `${numberText(Number(value.toPrecision(3)))} ms`;
}
