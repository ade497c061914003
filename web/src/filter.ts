/** Terms of the filter language that the page itself writes, and the parts of a filter it shows as chips. */

/** What a value shown on the page is, and so how it is filtered for and where it leads. */
export type ValueKind =
  | 'name'
  | 'domain'
  | 'client'
  | 'server'
  | 'address'
  | 'type'
  | 'rcode'
  | 'transport'
  | 'id'
  | 'data';

/** A string literal of the filter language. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The filter that a value passes; null where the language has no word for it. */
export function term(kind: ValueKind, value: string): string | null {
  switch (kind) {
    case 'name':
      return `dns.qry.name == ${quote(value)}`;
    case 'domain':
      return value === '.'
        ? 'dns.qry.name'
        : `dns.qry.name == ${quote(value)} or dns.qry.name matches ${quote(below(value))}`;
    case 'client':
      return end('src', 'dst', value);
    case 'server':
      return end('dst', 'src', value);
    case 'address':
      return `${family(value)}.addr == ${value}`;
    case 'type':
      return `dns.qry.type == ${quote(value)}`;
    case 'rcode':
      return `dns.flags.rcode == ${quote(value)}`;
    case 'transport':
      return /^(udp|tcp)$/.test(value) ? value : null;
    case 'id':
      return `dns.id == ${value}`;
    case 'data':
    default:
      return null;
  }
}

/** Both filters have to pass. */
export function and(left: string, right: string): string {
  if (left.trim() === '') return right;
  return `${bracketed(left)} and ${bracketed(right)}`;
}

/** What the filter does not pass. */
export function not(text: string): string {
  return `not (${text})`;
}

/** The parts of a filter that all have to pass, as written: split at `and` and `&&` outside of brackets and strings. */
export function conjuncts(text: string): string[] {
  if (text.length > LONGEST) return [text];
  const parts: string[] = [];
  let start = 0;
  for (const { token, at } of outside(text)) {
    // An `or` beside an `and` binds the parts together: the filter is one chip.
    if (LOW.test(token)) return [text.trim()];
    if (token === '&&' || token === 'and') {
      parts.push(text.slice(start, at));
      start = at + token.length;
    }
  }
  parts.push(text.slice(start));
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap(flat);
}

/** The server takes no longer filters. */
const LONGEST = 4096;
const LOW = /^(?:\|\||\^\^|or|xor)$/;
const TOKEN = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[([{]|[)\]}]|&&|\|\||\^\^|[\p{L}\p{N}_.:-]+|\s+|./gsu;

/** Tokens of a filter that stand in no brackets. */
function* outside(text: string): Generator<{ token: string; at: number }> {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (/^[([{]$/.test(token)) depth++;
    else if (/^[)\]}]$/.test(token)) depth--;
    else if (depth === 0) yield { token, at: index };
  }
}

/** A part in brackets that is several parts itself: brackets of `and` add nothing. */
function flat(part: string): string[] {
  const inner = unwrapped(part);
  if (inner === part) return [part];
  const parts = conjuncts(inner);
  return parts.length > 1 ? parts : [part];
}

/** Without the brackets around all of it. */
function unwrapped(text: string): string {
  const inner = /^\((.*)\)$/s.exec(text)?.[1];
  return inner !== undefined && isClosed(inner) ? inner : text;
}

const SIDE =
  /^\(dns\.flags\.response == 0 and ip(?:v6)?\.(src|dst) == (\S+)\) or \(dns\.flags\.response == 1 and ip(?:v6)?\.(src|dst) == (\S+)\)$/;
const BELOW = /^dns\.qry\.name == "((?:[^"\\]|\\.)*)" or dns\.qry\.name matches "(?:[^"\\]|\\.)*"$/;

/** A part of a filter in short, where it is one of the long ones that the page writes: `client == 10.2.3.4`. */
export function abridged(part: string): string {
  const negated = /^not \((.*)\)$/s.exec(part);
  const text = unwrapped(negated?.[1] ?? part);
  const side = SIDE.exec(text);
  const domain = BELOW.exec(text)?.[1];
  let short: string | undefined;
  if (side !== null && side[2] === side[4] && side[1] !== side[3]) {
    short = `${side[1] === 'src' ? 'client' : 'server'} == ${side[2]}`;
  } else if (domain !== undefined && term('domain', domain.replace(/\\(.)/g, '$1')) === text) {
    short = `domain == ${domain}`;
  }
  if (short === undefined) return negated === null ? text : part;
  return negated === null ? short : `not ${short}`;
}

/** Brackets open and close in it, never below the level it starts at. */
function isClosed(text: string): boolean {
  let depth = 0;
  for (const char of text.replace(/"(?:[^"\\]|\\.)*"/g, '')) {
    if (char === '(') depth++;
    else if (char === ')' && --depth < 0) return false;
  }
  return depth === 0;
}

/** The filter without its part number `index` (of `conjuncts`). */
export function without(text: string, index: number): string {
  return conjuncts(text)
    .filter((_, i) => i !== index)
    .join(' and ');
}

/** A piece of a filter and what it is, for colours. */
export interface Piece {
  kind: 'field' | 'operator' | 'string' | 'number' | 'space';
  text: string;
}
const OPERATOR = /^(and|or|not|xor|in|contains|matches|eq|ne|gt|ge|lt|le|any|all|any_eq|all_ne|bitand)$/;

/** A filter in pieces, in order; together they are the text. */
export function pieces(text: string): Piece[] {
  const TOKEN = /"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[\p{L}\p{N}_.:/-]+|\s+|[^\p{L}\p{N}_.:/\s"'-]+|./gsu;
  return Array.from(text.matchAll(TOKEN), ([token]) => ({ kind: kindOf(token), text: token }));
}

function kindOf(token: string): Piece['kind'] {
  if (/^\s/.test(token)) return 'space';
  if (/^["']/.test(token)) return 'string';
  if (OPERATOR.test(token)) return 'operator';
  if (/^[a-z_][\w]*(\.[\w]+)+$/i.test(token) || /^(dns|ip|ipv6|udp|tcp|frame|eth|vlan|mdns|llmnr|nbns)$/.test(token)) {
    return 'field';
  }
  return /^[\p{L}\p{N}]/u.test(token) ? 'number' : 'operator';
}

/** In brackets where it holds an `or`, which binds less than `and`. */
function bracketed(text: string): string {
  for (const { token } of outside(text)) if (LOW.test(token)) return `(${text.trim()})`;
  return text.trim();
}

/** A transaction of this client or server, whichever of its messages is looked at. */
function end(ofQuery: string, ofResponse: string, address: string): string {
  const on = (side: string): string => `${family(address)}.${side} == ${address}`;
  return `(dns.flags.response == 0 and ${on(ofQuery)}) or (dns.flags.response == 1 and ${on(ofResponse)})`;
}

function below(name: string): string {
  return `\\.${name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$`;
}

function family(address: string): 'ip' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ip';
}
