/** Domains, each with everything below it. Lines of a list: comments behind `#`, case and a last dot do not matter. */
export class DomainSet {
  readonly #domains = new Set<string>();

  constructor(lines: Iterable<string>) {
    for (const line of lines) {
      const domain = line.replace(/#.*/, '').trim().toLowerCase().replace(/^\*\./, '').replace(/\.$/, '');
      if (domain !== '') this.#domains.add(domain);
    }
  }

  get size(): number {
    return this.#domains.size;
  }

  /** Whether the name (folded, escaped text) is one of them, or lies below one. */
  has(name: string): boolean {
    if (this.#domains.size === 0) return false;
    for (let at = 0; ; ) {
      if (this.#domains.has(at === 0 ? name : name.slice(at))) return true;
      const dot = name.indexOf('.', at);
      if (dot < 0) return false;
      at = dot + 1;
    }
  }
}
