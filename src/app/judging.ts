import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Baseline } from '../baseline/baseline.ts';
import type { Raise } from '../core/alert.ts';
import { EXIT, reasonOf, UserError } from '../core/errors.ts';
import type { Network } from '../core/network.ts';
import type { Vantage } from '../core/transactions.ts';
import type { DetectorDefinition, Need } from '../detect/detector.ts';
import { DomainSet } from '../detect/domain-set.ts';
import { Entities } from '../detect/entities.ts';
import { DETECTORS } from '../detect/index.ts';
import { Judge, type JudgeOptions } from '../detect/judge.ts';
import { type DetectConfig, settingsOf } from '../detect/settings.ts';
import { hostingSuffix, registrableStart } from '../enrich/public-suffix.ts';

const POPULAR = fileURLToPath(new URL('../../assets/popular-domains.txt', import.meta.url));
/** A list of more lines is refused: it would not fit into memory beside everything else. */
const MOST_LINES = 5_000_000;

/** What the judge has to know besides its own settings. */
export interface JudgingContext {
  vantage?: Vantage | undefined;
  networks: readonly Network[];
  resolvers: readonly Network[];
  /** What privacy hides. */
  lacks?: readonly Need[];
  raise: Raise;
  /** What is usual; a new one unless it is given. */
  baseline?: Baseline;
  /** Detectors besides the own ones: rules. */
  more?: readonly DetectorDefinition[];
  /** Only these run; absent: all that the configuration wants. */
  only?: readonly string[];
}

/** A judge with all detectors, as a configuration wants them. Throws UserError for a list that cannot be read. */
export function judgeOf(config: DetectConfig, context: JudgingContext): Judge {
  return new Judging(config, context).judge;
}

/** A judge whose detectors can be given other settings while it works. */
export class Judging {
  readonly judge: Judge;
  readonly #only: readonly string[] | undefined;
  #allowed: DomainSet;

  /** Throws UserError for a list that cannot be read. */
  constructor(config: DetectConfig, context: JudgingContext) {
    const popular = new DomainSet(popularDomains(config));
    const { vantage, networks, resolvers, lacks = [], raise, more = [], only } = context;
    const { baseline = new Baseline(config.baseline) } = context;
    const isPopular = (domain: string) => popular.has(domain);
    this.#only = only;
    this.#allowed = new DomainSet(config.allow);
    this.judge = new Judge([...DETECTORS, ...more], {
      services: {
        entities: new Entities(registrableStart, popular),
        baseline,
        networks,
        resolvers,
        vantage,
        readList,
        listVersion,
        isPopular,
        isAllowed: (domain) => this.#allowed.has(domain),
        hostingSuffix,
      },
      settings: this.#settings(config),
      lacks,
      raise: (finding) => {
        // What the operator allows is not spoken of, whoever noticed it; a forged answer for it is.
        if (finding.domain !== undefined && finding.isProof !== true && this.#allowed.has(finding.domain)) return;
        raise(finding);
      },
    });
  }

  /** Goes on with other settings (see Judge.configure); what is popular, and how is learnt what is usual, stays. */
  configure(config: DetectConfig, more: readonly DetectorDefinition[]): string[] {
    const fresh = this.judge.configure([...DETECTORS, ...more], this.#settings(config));
    this.#allowed = new DomainSet(config.allow);
    return fresh;
  }

  #settings(config: DetectConfig): JudgeOptions['settings'] {
    return (definition) => {
      const isOwn = DETECTORS.includes(definition);
      const values = isOwn ? settingsOf(config, definition) : { enabled: true };
      const isWanted = this.#only === undefined || this.#only.includes(definition.id);
      return { enabled: config.enabled && values.enabled && isWanted, values };
    };
  }
}

/** What everybody asks for, the most popular first, as a list has it. Throws UserError. */
export function popularDomains({ popular = POPULAR }: Pick<DetectConfig, 'popular'>): string[] {
  return readList(popular);
}

/** The lines of a list. Throws UserError (exit 3) for a file that cannot be read, or is too long. */
export function readList(path: string): string[] {
  let lines: string[];
  try {
    lines = readFileSync(path, 'utf8').split(/\r?\n/);
  } catch (error) {
    throw new UserError(`The list ${path} cannot be read: ${reasonOf(error)}.`, EXIT.file);
  }
  if (lines.length > MOST_LINES) {
    throw new UserError(
      `The list ${path} has more than ${MOST_LINES.toLocaleString('en')} lines. Shorten it.`,
      EXIT.file,
    );
  }
  return lines;
}

/** When a list was changed last, as a number; NaN while it is not there. */
function listVersion(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? Number.NaN : stat.mtimeMs + stat.size;
}
