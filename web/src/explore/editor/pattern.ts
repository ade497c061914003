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
    } catch (error) {
      throw new Error(error instanceof Error ? error.message.replace(/^.*: /s, '').toLowerCase() : 'invalid');
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
