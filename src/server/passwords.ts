import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Cost of scrypt (RFC 7914): 32 MiB and about 0.1 s for each try. */
const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 << 20 } as const;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

/** A password as it is kept: `scrypt$N$r$p$salt$hash`, salt and hash in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Whether a password is the one that was kept. False, and as slow, for a kept text that makes no sense. */
export async function verifyPassword(password: string, kept: string): Promise<boolean> {
  const [kind, N, r, p, salt, hash] = kept.split('$');
  const cost = { N: Number(N), r: Number(r), p: Number(p), maxmem: 256 << 20 };
  const isSound = kind === 'scrypt' && isCost(cost) && salt !== undefined && hash !== undefined;
  const expected = isSound ? Buffer.from(hash, 'base64url') : Buffer.alloc(KEY_BYTES);
  if (!isSound || expected.length !== KEY_BYTES) {
    await derive(password, Buffer.alloc(SALT_BYTES), COST);
    return false;
  }
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64url'), cost), expected);
}

function isCost({ N, r, p }: { N: number; r: number; p: number }): boolean {
  return N >= 2 && N <= 2 ** 20 && Number.isInteger(Math.log2(N)) && r >= 1 && r <= 32 && p >= 1 && p <= 16;
}

function derive(password: string, salt: Buffer, cost: { N: number; r: number; p: number; maxmem: number }) {
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, cost, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** Compares two texts in a time that says nothing about them. */
export function isSameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
