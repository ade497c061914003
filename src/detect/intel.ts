import type { Raise } from '../core/alert.ts';
import { UserError } from '../core/errors.ts';
import { addressWords } from '../core/network.ts';
import { group, list, span, text, type ValueOf } from '../core/settings.ts';
import { AnswerAddresses, TYPE_A, TYPE_AAAA } from '../baseline/answers.ts';
import { Bounded, type TableCount } from './bounded.ts';
import { type Detector, type DetectServices, detector } from './detector.ts';
import { DATA, type Observation } from './observation.ts';
import { threatsOf } from './threat-list.ts';

const settings = group('What is known to be bad.', {
  lists: list(
    'Files of names and addresses: hosts files, one name a line, RPZ zones, MISP JSON, STIX 2.1 bundles. A file that changes is read again.',
    text('File.'),
    { example: ['/etc/nametap/threats.txt'] },
  ),
  reload: span('How often is looked whether a list has changed.', { default: '1m', least: 1000 }),
  again: span('The same client and entry are told of again after this.', { default: '1h', least: 0 }),
});
type Settings = ValueOf<typeof settings>;

const ATTACK = ['T1071.004'] as const;
/** A parent of entries that is none itself. */
const PARENT = -1;
const MOST_ENTRIES = 2_000_000;
const MOST_TOLD = 8192;

interface Loaded {
  path: string;
  version: number;
}

/** Names and addresses that lists have, and what they say of them. */
class Known {
  /** Names that are listed (index of the note), and their parents. */
  readonly names = new Map<string, number>();
  /** By `AnswerAddresses.key`. */
  readonly addresses = new Map<number, number>();
  readonly notes: string[] = [];
  readonly #noteAt = new Map<string, number>();
  /** Entries that found no room. */
  lost = 0;

  add(value: string, isAddress: boolean, note: string): void {
    if (this.names.size + this.addresses.size >= MOST_ENTRIES) {
      this.lost++;
      return;
    }
    const at = this.#note(note);
    if (isAddress) {
      const key = keyOf(value);
      if (key !== undefined) this.addresses.set(key, at);
      return;
    }
    this.names.set(value, at);
    for (let dot = value.indexOf('.'); dot >= 0; dot = value.indexOf('.', dot + 1)) {
      const parent = value.slice(dot + 1);
      if (this.names.has(parent)) break;
      this.names.set(parent, PARENT);
    }
  }

  #note(note: string): number {
    let at = this.#noteAt.get(note);
    if (at === undefined) {
      at = this.notes.push(note) - 1;
      this.#noteAt.set(note, at);
    }
    return at;
  }
}

function keyOf(address: string): number | undefined {
  const family = address.includes(':') ? 6 : 4;
  try {
    const words = addressWords(family, address);
    const one = new AnswerAddresses();
    one.family[0] = family;
    words.forEach((word, k) => {
      one.words[k] = word;
    });
    return one.key(0);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Compares names, and the addresses they lead to, with threat lists. */
class Intel implements Detector {
  readonly #settings: Settings;
  readonly #services: DetectServices;
  #known = new Known();
  #loaded: Loaded[] = [];
  #looked = Number.NEGATIVE_INFINITY;
  /** Why the lists are not those of now. */
  #problem: string | null = null;
  /** Entry and client, and when they were told of. */
  readonly #told = new Bounded<string, { time: number; first: number; count: number }>(MOST_TOLD);

  constructor(settings: Settings, services: DetectServices) {
    this.#settings = settings;
    this.#services = services;
    // The first time, what cannot be read is an error.
    this.#loaded = settings.lists.map((path) => ({ path, version: services.listVersion(path) }));
    this.#read();
  }

  inspect(seen: Observation, raise: Raise): void {
    const { domain } = seen;
    const { names, addresses } = this.#known;
    if (domain === null) return;
    if (names.size > 0 && names.has(domain.text)) this.#name(seen, raise);
    if (addresses.size > 0 && seen.kind === DATA) this.#address(seen, raise);
  }

  problem(): string | null {
    return this.#problem;
  }

  counts(): TableCount[] {
    const { names, addresses, lost } = this.#known;
    return [{ name: 'INTEL entries', used: names.size + addresses.size, limit: MOST_ENTRIES, evicted: lost }];
  }

  tick(time: number): void {
    if (this.#loaded.length === 0 || time - this.#looked < this.#settings.reload / 1000) return;
    this.#looked = time;
    const versions = this.#loaded.map(({ path }) => this.#services.listVersion(path));
    const gone = this.#loaded.filter((_, i) => Number.isNaN(versions[i])).map(({ path }) => path);
    if (gone.length > 0) {
      this.#problem = `The list ${gone.join(', ')} is not there: what was read of it before holds.`;
      return;
    }
    if (versions.every((version, i) => version === this.#loaded[i].version)) {
      this.#problem = null;
      return;
    }
    try {
      this.#read();
      this.#loaded = this.#loaded.map(({ path }, i) => ({ path, version: versions[i] }));
      this.#problem = null;
    } catch (error) {
      // It is being written, or broken: it is tried again, and until then what was read before holds.
      if (!(error instanceof UserError)) throw error;
      this.#problem = `${error.message} What was read before holds.`;
    }
  }

  #read(): void {
    const known = new Known();
    for (const { path } of this.#loaded) {
      const name = path.replace(/^.*\//, '');
      for (const { value, isAddress, note } of threatsOf(this.#services.readList(path), path)) {
        known.add(value, isAddress, note === '' ? name : `${name}: ${note}`);
      }
    }
    this.#known = known;
  }

  #name(seen: Observation, raise: Raise): void {
    const { names, notes } = this.#known;
    const { nameText } = seen;
    for (let at = 0; ; ) {
      const entry = at === 0 ? nameText : nameText.slice(at);
      const note = names.get(entry);
      if (note !== undefined && note !== PARENT) return this.#raise(seen, entry, notes[note], entry, raise);
      const dot = nameText.indexOf('.', at);
      if (dot < 0) return;
      at = dot + 1;
    }
  }

  #address(seen: Observation, raise: Raise): void {
    const { type, answers } = seen;
    if (type !== TYPE_A && type !== TYPE_AAAA) return;
    for (let i = 0; i < answers.count; i++) {
      const note = this.#known.addresses.get(answers.key(i));
      if (note !== undefined) {
        this.#raise(seen, seen.nameText, this.#known.notes[note], 'an address that it leads to', raise);
        return;
      }
    }
  }

  #raise(seen: Observation, value: string, note: string, what: string, raise: Raise): void {
    const client = seen.client.text;
    const domain = seen.domain?.text ?? value;
    const told = this.#told.take(`${value} ${client}`, () => ({
      time: Number.NEGATIVE_INFINITY,
      first: seen.time,
      count: 0,
    }));
    told.count++;
    if (seen.closed - told.time < this.#settings.again / 1000) return;
    told.time = seen.closed;
    // Lists have errors: a domain that everybody asks for is not blocked for one line.
    const isDoubtful = value === domain && seen.domain?.isPopular === true;
    const isAnswered = seen.kind === DATA;
    raise({
      detector: 'INTEL',
      key: `${value} ${client}`,
      severity: isDoubtful ? 'low' : isAnswered ? 'high' : 'medium',
      score: isDoubtful ? 0.4 : 0.95,
      confidence: isDoubtful ? 0.3 : 0.95,
      time: seen.closed,
      firstSeen: told.first,
      lastSeen: seen.time,
      count: told.count,
      subject: value,
      client,
      server: seen.server.text,
      domain,
      title: `${client} asks for ${seen.nameText}, which is listed (${note})`,
      text:
        `${what === value ? value : `${seen.nameText} leads to an address that`} is in the threat list ${note}. ` +
        (isAnswered ? 'The name exists and was answered.' : 'It was not answered with data.') +
        (isDoubtful ? ' The domain is one that everybody asks for: the list may be wrong.' : ''),
      measures: [{ name: 'questions for it', value: told.count, unit: 'questions' }],
      evidence: [seen.evidence(what)],
      attack: ATTACK,
      ...(!isDoubtful && {
        isProof: true,
        proposal: {
          kind: 'domain',
          value: what === value ? value : seen.nameText,
          text: `Block ${what === value ? value : seen.nameText}`,
        },
      }),
    });
  }
}

export const intel = detector({
  id: 'INTEL',
  title: 'Threat lists',
  summary:
    'Names that a threat list has, or that lie below one it has, and answers with addresses that it has. A name that only ends alike is none.',
  attack: ATTACK,
  needs: ['names'],
  rows: 'names',
  settings,
  create: (values, services) => (values.lists.length === 0 ? {} : new Intel(values, services)),
});
