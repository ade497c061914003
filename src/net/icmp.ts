/** Types of ICMP that quote a packet: unreachable, quench, redirect, exceeded, problem; ICMPv6 errors are below 128. */
export function isIcmpError(type: number, v6: boolean): boolean {
  return v6 ? type >= 1 && type <= 4 : type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}

/** Whether an error says that the packet did not arrive: neither "too big" nor a better route does. */
export function isUnreachable(type: number, code: number, v6: boolean): boolean {
  return v6 ? type !== 2 : (type === 3 && code !== 4) || type === 11 || type === 12;
}
