/** What is usual by the hour of the week (168 bins, Monday 00 UTC first), with the spread by the hour of the day (24 bins). */
export const WEEK_BINS = 168;
export const DAY_BINS = 24;
/** A level and its spread: `WEEK_BINS` means, then `DAY_BINS` mean distances from them. */
export const SEASON_FLOATS = WEEK_BINS + DAY_BINS;

/** So much a new week moves a bin, once it is filled. */
const GAIN = 0.3;
/** Weeks until a bin of the week is believed rather than the hour of the day. */
export const WEEKS_WANTED = 3;

/** 0 … 167. 1 January 1970 was a Thursday. */
export function hourOfWeek(hour: number): number {
  return (((hour + 72) % WEEK_BINS) + WEEK_BINS) % WEEK_BINS;
}

/** A level of −1 marks a bin in which nothing was learnt yet: zero is a level. */
export function clearSeason(floats: Float32Array, at: number): void {
  floats.fill(-1, at, at + WEEK_BINS);
  floats.fill(0, at + WEEK_BINS, at + SEASON_FLOATS);
}

/** Learns the level of an hour since 1970. */
export function learnHour(floats: Float32Array, at: number, hour: number, level: number): void {
  const bin = at + hourOfWeek(hour);
  const usual = usualAt(floats, at, hour);
  if (usual !== null) {
    const spread = at + WEEK_BINS + (hourOfWeek(hour) % DAY_BINS);
    const distance = Math.abs(level - usual.level);
    floats[spread] += GAIN * (distance - floats[spread]);
  }
  if (floats[bin] < 0) floats[bin] = level;
  else floats[bin] += GAIN * (level - floats[bin]);
}

export interface SeasonUsual {
  level: number;
  /** Mean distance from it. */
  spread: number;
  /** Bins that it was taken from: 1 = this hour of the week and no other. */
  bins: number;
}

/**
 * What is usual at an hour since 1970: its bin of the week, drawn towards the same hour of the other days until three
 * weeks were learnt (`weeks`); null when nothing was learnt of it.
 */
export function usualAt(floats: Float32Array, at: number, hour: number, weeks = 0): SeasonUsual | null {
  const bin = hourOfWeek(hour);
  let sum = 0;
  let bins = 0;
  for (let k = bin % DAY_BINS; k < WEEK_BINS; k += DAY_BINS) {
    if (floats[at + k] < 0) continue;
    sum += floats[at + k];
    bins++;
  }
  if (bins === 0) return null;
  const own = floats[at + bin];
  const trust = own < 0 ? 0 : Math.min(1, weeks / WEEKS_WANTED);
  const level = trust * Math.max(0, own) + (1 - trust) * (sum / bins);
  return { level, spread: floats[at + WEEK_BINS + (bin % DAY_BINS)], bins: trust === 1 ? 1 : bins };
}
