/** A text with its places filled: `{name}` by its value; of `one|other` the form for the number `n` is taken. */
export function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  const bar = values.n === undefined ? -1 : text.indexOf('|');
  const form = bar < 0 ? text : Number(values.n) === 1 ? text.slice(0, bar) : text.slice(bar + 1);
  return form.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
