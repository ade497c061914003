/** What only RE2 writes so: browsers cannot tell whether it is right. */
const OF_RE2 = /\(\?|\[\[?:|\\[AzQECpP]/;

/**
 * Stands for re2js in the page, which only checks filters and runs none: its tables are a quarter of all script. What is no
 * regular expression anywhere is told here, everything else by the server, or the worker.
 */
export class RE2JS {
  static readonly CASE_INSENSITIVE = 1;

  /** Throws for what is no pattern. */
  static compile(pattern: string): RE2JS {
    if (/\\[1-9]|\(\?<?[=!]/.test(pattern)) throw new Error('invalid escape or group');
    try {
      if (!OF_RE2.test(pattern)) void new RegExp(pattern);
    } catch (cause) {
      throw new Error(reasonOf(cause), { cause });
    }
    return new RE2JS();
  }

  programSize(): number {
    return 0;
  }

  test(): boolean {
    return false;
  }
}

/** `Invalid regular expression: /(a/: Unterminated group` is too long a word for a mistake that is shown beside it. */
function reasonOf(cause: unknown): string {
  return String(cause).replace(/^.*: /s, '').toLowerCase();
}
