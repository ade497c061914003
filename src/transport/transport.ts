/** A record on its way to a bus. */
export interface OutRecord {
  topic: string;
  /** Any number: a topic of fewer partitions takes what is left of it by division. */
  partition: number;
  value: Uint8Array;
  key?: string;
  headers?: Readonly<Record<string, string>>;
}

/** Hands records to a bus. */
export interface Producer {
  /** Resolves when all of them are kept there; rejects when some may not be (with `Refused` when they never will). */
  send(records: readonly OutRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** A record of a bus. */
export interface InRecord {
  topic: string;
  partition: number;
  /** Rises from one record of a partition to the next. */
  offset: number;
  value: Uint8Array;
  headers: ReadonlyMap<string, string>;
}

export interface Place {
  topic: string;
  partition: number;
}

/** Takes part in a group of readers, which share the partitions of topics. */
export interface Consumer {
  /**
   * Records in order of their offsets, as long as the signal is not aborted: those behind what was committed last come again
   * after every change of the group. What `changed` says holds for all records that come after it.
   */
  records(signal: AbortSignal, changed: (places: readonly Place[]) => void): AsyncIterable<InRecord>;
  /** Records before these offsets are done with. */
  commit(offsets: readonly (Place & { offset: number })[]): Promise<void>;
  /** Offset of the first record of each partition that is still there, and behind the last one. */
  begins(places: readonly Place[]): Promise<readonly (Place & { offset: number })[]>;
  ends(places: readonly Place[]): Promise<readonly (Place & { offset: number })[]>;
  /** Offset that was committed last, of partitions of which there is one. */
  committed(places: readonly Place[]): Promise<readonly (Place & { offset: number })[]>;
  /** The last record of a partition of any topic, whoever reads it; null where there is none. */
  last(place: Place): Promise<InRecord | null>;
  /** Why nothing is read now; null while all is well. */
  readonly error: string | null;
  /** Leaves the group: others take over at once. */
  close(): Promise<void>;
}

/** The receiver will never take it. */
export class NotTaken extends Error {}
