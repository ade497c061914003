import { addressText } from '../../core/address.ts';
import type { Exchange } from '../../rr/batch-writer.ts';
import { parseName } from '../../wire/writer.ts';
import { addressAnswer, ipv4Of, RecordList, TYPE } from '../records.ts';
import type { ScenarioDefinition } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { type HostName, publicAddress } from '../world.ts';

const FORGED = addressAnswer(ipv4Of(203, 0, 113, 66), 86_400);

/** What the resolver asks a name's authority: the exchange that is attacked. */
function victimOf(stage: Stage, time: number): { name: HostName; asked: Exchange } {
  const { random, resolvers, world } = stage;
  const name = random.pick(world.site(random, 0, 200).hosts);
  const [records] = name.answers.get(TYPE.A) ?? [];
  const asked: Exchange = {
    time,
    client: resolvers[0].address,
    server: name.zone.servers[0].address,
    clientPort: 1024 + random.int(60_000),
    id: random.int(65_536),
    name: name.wire,
    latencyMs: 30 + random.int(30),
    rd: false,
    ra: false,
    aa: true,
    udpSize: 1232,
    leg: 'upstream',
    ...(records !== undefined && { records }),
  };
  return { name, asked };
}

function labelled(stage: Stage, scenario: ScenarioDefinition, from: number, seconds: number, subject: string): void {
  const { family, words } = stage.resolvers[0].address;
  const { name, detectors } = scenario;
  const client = addressText(family, ...words);
  stage.label({ scenario: name, detectors, from, to: from + seconds, subject, client });
}

export const poisoningGuess: ScenarioDefinition = {
  name: 'poisoning-guess',
  summary: 'forged answers with guessed ids rain on a resolver while it waits for the true one',
  detectors: ['POIS-GUESS'],
  start(stage, from) {
    const { random } = stage;
    const { name, asked } = victimOf(stage, from);
    stage.schedule(from, () => {
      stage.say({ ...asked, latencyMs: 400 });
      for (let i = 0; i < 400; i++) {
        const time = from + 0.001 * (i + 1);
        stage.say({ ...asked, time, id: random.int(65_536), fate: 'orphan', records: FORGED });
      }
      return undefined;
    });
    labelled(stage, poisoningGuess, from, 1, name.text);
  },
};

export const poisoningRace: ScenarioDefinition = {
  name: 'poisoning-race',
  summary: 'somebody on the way answers first; the true answer, with other addresses, comes behind it',
  detectors: ['POIS-RACE'],
  start(stage, from) {
    const { name, asked } = victimOf(stage, from);
    stage.schedule(from, () => {
      stage.say({ ...asked, latencyMs: 4, records: FORGED });
      stage.say({ ...asked, time: from + (asked.latencyMs ?? 30) / 1000, fate: 'repeated' });
      return undefined;
    });
    labelled(stage, poisoningRace, from, 1, name.text);
  },
};

export const poisoningFragments: ScenarioDefinition = {
  name: 'poisoning-fragments',
  summary: 'answers of a server begin to come in fragments, whose second half can be forged',
  detectors: ['POIS-FRAG'],
  start(stage, from) {
    const { random } = stage;
    const { asked } = victimOf(stage, from);
    let n = 0;
    stage.schedule(from, (time) => {
      stage.say({ ...asked, time, id: random.int(65_536), udpSize: 4096, isFragmented: true });
      return ++n < 12 ? time + 2 : undefined;
    });
    const server = typeof asked.server === 'string' ? asked.server : addressText(4, ...asked.server.words);
    labelled(stage, poisoningFragments, from, 24, server);
  },
};

export const poisoningBailiwick: ScenarioDefinition = {
  name: 'poisoning-bailiwick',
  summary: 'a server answers for its own name and slips in name servers and addresses of a bank',
  detectors: ['POIS-BAIL'],
  start(stage, from) {
    const { random } = stage;
    const { name, asked } = victimOf(stage, from);
    const bank = parseName('www.first-savings-bank.com');
    const zone = parseName('first-savings-bank.com');
    const records = new RecordList()
      .address('answers', 300, publicAddress(random))
      .add('authority', TYPE.NS, 86_400, parseName('ns.first-savings-bank.com'), zone)
      .address('additional', 86_400, ipv4Of(203, 0, 113, 66), bank)
      .done();
    stage.schedule(from, () => {
      stage.say({ ...asked, records });
      return undefined;
    });
    labelled(stage, poisoningBailiwick, from, 1, name.zone.domain);
  },
};
