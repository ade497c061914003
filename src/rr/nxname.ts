import { rrType } from './define.ts';

export const NXNAME = rrType<Record<string, never>>(
  128,
  'NXNAME',
  'RFC 9824',
  'Only in NSEC bitmaps: the name does not exist. Never a record.',
  {},
);
