/** Transactions by day (Monday first) and hour: `days[day][hour]`. */
export type Week = number[][];

export function emptyWeek(): Week {
  return Array.from({ length: 7 }, () => new Array<number>(24).fill(0));
}

/** A week from hours of the week (0 … 167, Monday 00:00 UTC first), moved by the time zone's whole hours. */
export function weekOf(rows: readonly { hour: number; count: number }[], offsetHours: number): Week {
  const week = emptyWeek();
  for (const { hour, count } of rows) {
    if (!Number.isInteger(hour) || hour < 0 || hour > 167) continue;
    const local = (((hour + offsetHours) % 168) + 168) % 168;
    week[Math.floor(local / 24)][local % 24] += count;
  }
  return week;
}

/** Hours that a time zone is ahead of UTC at a moment; null where it is not a whole number (the week stays in UTC then). */
export function wholeHoursAhead(zone: string, at: number): number | null {
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(at);
  const text = parts.find((part) => part.type === 'timeZoneName')?.value ?? 'GMT';
  const match = /GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(text);
  if (match?.[1] === undefined) return 0;
  if (match[3] !== '00') return null;
  return Number(`${match[1]}${match[2]}`);
}

/** 0 (nothing) … 6 (the most); the root of the count, so that quiet hours differ, too. */
export function shade(count: number, most: number): number {
  return count <= 0 ? 0 : Math.max(1, Math.min(6, Math.ceil(Math.sqrt(count / Math.max(1, most)) * 6)));
}

/** The count that the strongest colour stands for: of hours with any, all but the top twentieth lie below it. */
export function fullOf(week: Week): number {
  const active = week
    .flat()
    .filter((n) => n > 0)
    .sort((a, b) => a - b);
  return active.length === 0 ? 1 : active[Math.min(active.length - 1, Math.floor(active.length * 0.95))];
}

/** When it is busiest and when it is quiet, for a sentence. Null without any transaction. */
export function summaryOf(week: Week): { busiest: { day: number; hour: number }; active: number } | null {
  let busiest = { day: 0, hour: 0 };
  let active = 0;
  for (let day = 0; day < 7; day++) {
    for (let hour = 0; hour < 24; hour++) {
      if (week[day][hour] > 0) active++;
      if (week[day][hour] > week[busiest.day][busiest.hour]) busiest = { day, hour };
    }
  }
  return active === 0 ? null : { busiest, active };
}
