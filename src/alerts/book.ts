import type { Finding, Raise } from '../core/alert.ts';
import { worse } from '../core/alert.ts';
import { UserError } from '../core/errors.ts';
import { BOOK_RULES, type BookRules } from './book-rules.ts';
import { type Entry, grow, type Incident, incidentOf, note } from './incident.ts';
import { inhibits, isDetector } from './inhibition.ts';
import { type AlertRecords, Keeper } from './keeper.ts';
import { type Action, apply, type Deed, undo } from './lifecycle.ts';
import { isUnder, MOST_MUTES, type Mute, muteOf } from './mutes.ts';
import { Rates, stormOf } from './rates.ts';
import { severityOf } from './severity.ts';

export const CHANGE_CAUSES = ['raised', 'worsened', 'updated', 'resolved', 'changed'] as const;
/** What happened to an incident; `changed` is what people, mutes and other incidents did to it. */
export interface Change {
  cause: (typeof CHANGE_CAUSES)[number];
  incident: Readonly<Incident>;
  /** Worth telling people: it is new, worse, over, or went on for long; and neither muted nor explained by another. */
  isNews: boolean;
}

export interface BookOptions {
  rules?: Partial<BookRules>;
  /** Where incidents are kept; without, only in memory. */
  records?: AlertRecords;
  /** What to do with an error of the store. */
  failed?(error: unknown): void;
}

/** How often what is quiet is looked for, in seconds. */
const SWEEP = 10;

/**
 * What became of findings: incidents, each once, with what people did with them. Time is that of findings and ticks (the
 * packets' clock), so that a replay gives the same incidents with the same ids.
 */
export class AlertBook {
  /** Findings taken, those only a summary stands for; incidents memory had no room for, changes the store did not take. */
  readonly counts = { findings: 0, suppressed: 0, evicted: 0, lost: 0 };
  #rules: BookRules;
  readonly #keeper: Keeper | null;
  readonly #listeners = new Set<(change: Change) => void>();
  /** By id, oldest first. */
  readonly #incidents = new Map<string, Incident>();
  /** Those that go on, by detector and key. */
  readonly #active = new Map<string, Incident>();
  readonly #rates: Rates;
  #mutes: Mute[] = [];
  #now = Number.NEGATIVE_INFINITY;
  /** When the newest one began that memory gave up. */
  #forgotten = Number.NEGATIVE_INFINITY;
  #swept = Number.NEGATIVE_INFINITY;

  constructor({ rules = {}, records, failed = () => {} }: BookOptions = {}) {
    this.#rules = { ...BOOK_RULES, ...rules };
    this.#rates = new Rates(this.#rules.most);
    this.#keeper = records === undefined ? null : new Keeper(records, 2 * this.#rules.most, this.counts, failed);
  }

  /** Rules may change while it works; those of before hold for what they decided. */
  configure(rules: Partial<BookRules>): void {
    this.#rules = { ...BOOK_RULES, ...rules };
  }

  /** Calls for every change; gives the function that ends it. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Incidents in memory, oldest first. */
  incidents(): Incident[] {
    return [...this.#incidents.values()];
  }

  /** The one behind which the store has what memory has not (times there are in milliseconds). */
  get border(): Incident | undefined {
    const held = this.incidents();
    return held.find(({ raised }) => raised - this.#forgotten > 0.001) ?? held.at(-1);
  }

  get mutes(): readonly Mute[] {
    return this.#mutes;
  }

  /** Incidents nobody has done anything about yet, and which nothing explains. */
  get open(): number {
    let open = 0;
    for (const { state, inhibitedBy } of this.#incidents.values()) if (state === 'open' && inhibitedBy === null) open++;
    return open;
  }

  /** Goes on where the last run stopped. */
  async load(): Promise<void> {
    if (this.#keeper === null) return;
    this.#mutes = await this.#keeper.mutes();
    for (const incident of await this.#keeper.newest(this.#rules.most)) {
      this.#incidents.set(incident.id, incident);
      if (incident.resolved === null) this.#active.set(keyOf(incident), incident);
      this.#rates.remember(keyOf(incident), incident);
      this.#now = Math.max(this.#now, incident.updated);
    }
  }

  /** Takes a finding. */
  readonly raise: Raise = (finding) => {
    this.counts.findings++;
    this.#advance(finding.time);
    const key = keyOf(finding);
    const known = this.#active.get(key);
    if (known !== undefined && finding.time - known.updated <= this.#rules.quiet) return this.#update(known, finding);
    if (known !== undefined) this.#resolve(known);
    const flapping = this.#incidents.get(this.#rates.last(key, finding.time, this.#rules.perKey) ?? '');
    if (flapping !== undefined) return this.#again(flapping, finding);
    const { severity, parts } = severityOf(finding, this.#rules.weight(finding));
    if (!this.#rates.admit(`${finding.detector} ${severity}`, finding.time, this.#rules.perDetector)) {
      return this.#storm(finding, severity);
    }
    this.#open(incidentOf(finding, severity, parts));
  };

  /** Time passes also without findings: seconds since 1970, on the packets' clock. */
  tick(time: number): void {
    this.#advance(time);
  }

  /** What was told of under a key is over, and that is known: nobody has to wait for the quiet. `time` as in findings. */
  over(detector: string, key: string, time: number): void {
    this.#advance(time);
    const known = this.#active.get(keyOf({ detector, key }));
    if (known !== undefined) this.#resolve(known, time);
  }

  /** Everything that goes on is over: the input has ended. */
  end(): void {
    for (const incident of this.#active.values()) this.#resolve(incident);
  }

  /** An incident by its id, also one that only the store has; null when there is none. */
  async get(id: string): Promise<Incident | null> {
    return this.#incidents.get(id) ?? (await this.#keeper?.get(id)) ?? null;
  }

  /** Those raised before the one with this id, newest first, as the store has them. */
  async older(id: string, limit: number): Promise<Incident[]> {
    return (await this.#keeper?.older(id, limit)) ?? [];
  }

  /**
   * Does what people want with an incident; it is on the disk when this resolves. Null when there is no such incident.
   * Throws UserError for what makes no sense.
   */
  async act(id: string, action: Action, deed: Deed): Promise<Incident | null> {
    const incident = await this.get(id);
    if (incident === null) return null;
    const touched = action.kind === 'undo' ? this.#undo(incident, deed) : this.#apply(incident, action, deed);
    if (touched !== null) this.#keeper?.noteMutes(this.#mutes);
    this.#lift(incident);
    this.#changed(incident, 'changed', false);
    await this.#keeper?.flush();
    return incident;
  }

  /** Resolves when all changes are kept. */
  async flush(): Promise<void> {
    await this.#keeper?.flush();
  }

  #advance(time: number): void {
    if (time > this.#now) this.#now = time;
    if (this.#now - this.#swept < SWEEP) return;
    this.#swept = this.#now;
    for (const incident of this.#active.values()) {
      if (this.#now - incident.updated > this.#rules.quiet) this.#resolve(incident);
    }
    for (const mute of this.#mutes) if (mute.until !== null && mute.until <= this.#now) this.#expire(mute);
  }

  #open(incident: Incident): void {
    this.#makeRoom();
    const key = keyOf(incident);
    this.#incidents.set(incident.id, incident);
    this.#active.set(key, incident);
    this.#rates.remember(key, incident);
    this.#silence(incident);
    for (const other of this.#active.values()) {
      if (incident.inhibitedBy === null && inhibits(other, incident)) this.#inhibit(incident, other);
      else if (other.inhibitedBy === null && inhibits(incident, other)) {
        this.#inhibit(other, incident);
        this.#changed(other, 'changed', false);
      }
    }
    this.#changed(incident, 'raised', true);
  }

  #update(incident: Incident, finding: Finding): void {
    const { severity, parts } = severityOf(finding, this.#rules.weight(finding));
    grow(incident, finding);
    if (worse(incident.severity, severity) === incident.severity) {
      const { told } = incident;
      return this.#changed(incident, 'updated', told === null || finding.time - told >= this.#rules.repeat);
    }
    incident.severity = severity;
    incident.parts = parts;
    note(incident, { time: finding.time, by: 'nametap', action: 'worsened', text: severity });
    // Who closed it knew less.
    if (incident.state === 'closed' || incident.state === 'acknowledged') incident.state = 'open';
    this.#changed(incident, 'worsened', true);
  }

  /** A key that comes and goes: its last incident goes on. */
  #again(incident: Incident, finding: Finding): void {
    incident.resolved = null;
    this.#active.set(keyOf(incident), incident);
    note(incident, { time: finding.time, by: 'nametap', action: 'again' });
    if (incident.state === 'closed') incident.state = 'open';
    this.#silence(incident);
    this.#update(incident, finding);
  }

  /** Too many at once: one incident stands for all of a detector and severity. */
  #storm(finding: Finding, severity: Incident['severity']): void {
    this.counts.suppressed++;
    const known = this.#active.get(keyOf(stormOf(finding, severity, 1)));
    const suppressed = (known?.suppressed ?? 0) + 1;
    const summary = stormOf(finding, severity, suppressed);
    if (known === undefined) {
      const { parts } = severityOf(summary, 1);
      return this.#open({ ...incidentOf(summary, severity, parts), suppressed });
    }
    known.suppressed = suppressed;
    grow(known, summary);
    const isDue = known.told === null || finding.time - known.told >= this.#rules.repeat;
    this.#changed(known, 'updated', isDue);
  }

  #resolve(incident: Incident, time = incident.updated + this.#rules.quiet): void {
    const { closeResolved } = this.#rules;
    incident.resolved = time;
    this.#active.delete(keyOf(incident));
    note(incident, { time, by: 'nametap', action: 'resolved' });
    if (incident.state === 'open' && isDetector(closeResolved, incident.detector)) incident.state = 'closed';
    this.#changed(incident, 'resolved', incident.told !== null);
    this.#lift(incident);
  }

  /** New incidents that come under a mute are muted, or no incidents, from the start. */
  #silence(incident: Incident): void {
    const mute = this.#mutes.find((one) => isUnder(one, incident));
    if (mute !== undefined) silence(incident, mute);
  }

  #inhibit(incident: Incident, cause: Incident): void {
    incident.inhibitedBy = cause.id;
    note(incident, { time: this.#now, by: 'nametap', action: 'inhibited', text: cause.title });
  }

  /** What an incident explained stands for itself again, once that is over or was none. */
  #lift(cause: Incident): void {
    if (cause.resolved === null && cause.state !== 'false_positive') return;
    for (const incident of this.#active.values()) {
      if (incident.inhibitedBy !== cause.id) continue;
      incident.inhibitedBy = null;
      note(incident, { time: this.#now, by: 'nametap', action: 'released' });
      this.#changed(incident, 'changed', incident.told === null);
    }
  }

  #expire(mute: Mute): void {
    this.#mutes = this.#mutes.filter(({ id }) => id !== mute.id);
    this.#unsilence(mute, this.#now);
    this.#keeper?.noteMutes(this.#mutes);
  }

  #unsilence(mute: Mute, time: number): void {
    for (const incident of this.#incidents.values()) {
      if (incident.mute !== mute.id) continue;
      incident.mute = null;
      incident.mutedUntil = null;
      if (incident.state === 'muted' || incident.state === 'false_positive') incident.state = 'open';
      note(incident, { time, by: 'nametap', action: 'unmuted' });
      this.#changed(incident, 'changed', incident.resolved === null);
    }
  }

  /** Null when no mute was made or lifted. */
  #apply(incident: Incident, action: Exclude<Action, { kind: 'undo' }>, deed: Deed): Mute | null {
    if (action.kind === 'reopen') {
      const lifted = this.#mutes.find(({ id }) => id === incident.mute);
      apply(incident, action, deed);
      if (lifted === undefined) return null;
      (incident.journal.at(-1) as Entry).lifted = lifted;
      this.#mutes = this.#mutes.filter((one) => one !== lifted);
      this.#unsilence(lifted, deed.time);
      return lifted;
    }
    const mute = muteFor(incident, action, deed);
    if (mute !== null && this.#mutes.length >= MOST_MUTES) {
      throw new UserError(`There are ${MOST_MUTES} mutes already: lift one first.`);
    }
    apply(incident, action, deed);
    if (mute === null) return null;
    this.#mutes = [...this.#mutes, mute];
    incident.mute = mute.id;
    (incident.journal.at(-1) as Entry).made = mute.id;
    for (const other of this.#active.values()) {
      if (other === incident || other.mute !== null || !isUnder(mute, other)) continue;
      silence(other, mute);
      this.#changed(other, 'changed', false);
    }
    return mute;
  }

  #undo(incident: Incident, deed: Deed): Mute | null {
    const { made, lifted } = undo(incident, deed);
    const mute = this.#mutes.find(({ id }) => id === made);
    if (mute !== undefined) {
      this.#mutes = this.#mutes.filter((one) => one !== mute);
      this.#unsilence(mute, deed.time);
    }
    if (lifted !== undefined) this.#mutes = [...this.#mutes, lifted];
    return mute ?? lifted ?? null;
  }

  #makeRoom(): void {
    if (this.#incidents.size < this.#rules.most) return;
    let oldest: Incident | undefined;
    for (const incident of this.#incidents.values()) {
      oldest ??= incident;
      if (incident.resolved === null) continue;
      oldest = incident;
      break;
    }
    if (oldest === undefined) return;
    if (oldest.resolved === null) this.#resolve(oldest);
    this.#incidents.delete(oldest.id);
    this.#forgotten = Math.max(this.#forgotten, oldest.raised);
    this.counts.evicted++;
  }

  #changed(incident: Incident, cause: Change['cause'], isWorthTelling: boolean): void {
    const isHeard = incident.state !== 'muted' && incident.state !== 'false_positive' && incident.inhibitedBy === null;
    // What was acknowledged or closed is told of again when it is worse or over.
    const isHandled = incident.state !== 'open' && cause === 'updated';
    const isNews = isWorthTelling && isHeard && !isHandled;
    if (isNews) incident.told = this.#now;
    this.#keeper?.note(incident);
    for (const listener of this.#listeners) listener({ cause, incident, isNews });
  }
}

function keyOf({ detector, key }: { detector: string; key: string }): string {
  return `${detector}\0${key}`;
}

function silence(incident: Incident, mute: Mute): void {
  incident.mute = mute.id;
  incident.mutedUntil = mute.until;
  if (mute.isFalsePositive) incident.reason = mute.reason;
  if (incident.state === 'open' || incident.state === 'muted') {
    incident.state = mute.isFalsePositive ? 'false_positive' : 'muted';
  }
}

/** The mute that an action makes; null for those that make none. */
function muteFor(incident: Incident, action: Action, { by, time }: Deed): Mute | null {
  const common = { since: time, by };
  if (action.kind === 'false_positive') {
    const rest = { ...common, until: null, reason: action.reason.trim(), isFalsePositive: true };
    return muteOf(incident, 'key', rest) ?? null;
  }
  if (action.kind !== 'mute') return null;
  if (action.until !== null && !(action.until > time)) throw new UserError('A mute ends in the future.');
  const rest = { ...common, until: action.until, reason: action.text ?? null, isFalsePositive: false };
  const mute = muteOf(incident, action.scope, rest);
  if (mute === undefined) throw new UserError(`This alert is about no ${action.scope}: choose another scope.`);
  return mute;
}
