/** What a statement is given and gives. */
export type SqlValue = string | number | bigint | boolean | Uint8Array | null | readonly SqlValue[];
export type Row = Record<string, SqlValue>;
/** A value that is bound. */
export type Bound = string | number | bigint | Uint8Array;
