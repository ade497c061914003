/** A line of a configuration as it is shown: indentation, key, value (null for a group). */
export interface ConfigLine {
  depth: number;
  key: string;
  value: string | null;
  masked: boolean;
}

/** A configuration value as lines, in order, like YAML. Secrets come masked from the server; they are only marked here. */
export function configLines(value: Readonly<Record<string, unknown>>): ConfigLine[] {
  const lines: ConfigLine[] = [];
  const stack: { key: string; value: unknown; depth: number }[] = [];
  const push = (entries: [string, unknown][], depth: number): void => {
    for (const [key, inner] of entries.reverse()) stack.push({ key, value: inner, depth });
  };
  push(Object.entries(value), 0);
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const { key, value: inner, depth } = at;
    if (Array.isArray(inner) && inner.every((item) => item === null || typeof item !== 'object')) {
      lines.push({ depth, key, value: `[${inner.join(', ')}]`, masked: false });
    } else if (inner !== null && typeof inner === 'object') {
      const entries = Object.entries(inner).map(([name, item]): [string, unknown] => [
        Array.isArray(inner) ? '-' : name,
        item,
      ]);
      lines.push({ depth, key, value: entries.length === 0 ? '{}' : null, masked: false });
      push(entries, depth + 1);
    } else {
      const text =
        inner === null || inner === undefined ? '–' : typeof inner === 'string' ? inner : JSON.stringify(inner);
      lines.push({ depth, key, value: text, masked: /^[*•]{3,}$/.test(text) });
    }
  }
  return lines;
}
