/** The first screen. */
export const overview = {
  'overview.tiles': 'Now, and against what is usual',
} as const;
