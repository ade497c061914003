/** What the browser keeps for this page between visits: theme, language. Works without storage, forgetting. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`nametap.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`nametap.${key}`, value);
  } catch {
    // Private mode or no storage: the choice holds for this visit.
  }
}
