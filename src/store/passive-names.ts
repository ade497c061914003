/** Labels of an escaped name, without trailing dot; the root has none. */
export function labelsOf(name: string): string[] {
  if (name === '' || name === '.') return [];
  const labels: string[] = [];
  let from = 0;
  for (let i = 0; i < name.length; i++) {
    if (name[i] === '\\') i++;
    else if (name[i] === '.') {
      labels.push(name.slice(from, i));
      from = i + 1;
    }
  }
  labels.push(name.slice(from));
  return labels;
}

/** Labels in reverse order with a dot behind each: names below a name begin with its reversed name. */
export function reversedName(name: string): string {
  return labelsOf(name)
    .reverse()
    .map((label) => `${label}.`)
    .join('');
}

/** The name of a reversed name; the root where it has no labels. */
export function nameOf(reversed: string): string {
  return reversed === '' ? '.' : labelsOf(reversed.slice(0, -1)).reverse().join('.');
}

/** A name as people type it, as it is kept: folded, no trailing dot. */
export function storedName(text: string): string {
  const folded = text.trim().toLowerCase();
  return folded.length > 1 && folded.endsWith('.') && !folded.endsWith('\\.') ? folded.slice(0, -1) : folded;
}

/** Text behind every text that begins with `prefix`. */
export function prefixEnd(prefix: string): string {
  return `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
}
