import { type Instruction, OP } from './assembler.ts';

/** The program as `tcpdump -d` shows one: an instruction a line. */
export function showProgram(program: readonly Instruction[]): string {
  return program.map((instruction, at) => `(${String(at).padStart(3, '0')}) ${show(instruction, at)}\n`).join('');
}

function show({ code, jt, jf, k }: Instruction, at: number): string {
  const name = NAMES[code];
  if (name === undefined) return `unimp    0x${code.toString(16)}`;
  const [mnemonic, operand] = name;
  if (code === OP.jump) return `${mnemonic.padEnd(8)} ${at + 1 + k}`;
  const text = operand.replace('k', k > 0xfff ? `0x${k.toString(16)}` : String(k)).replace('h', `0x${k.toString(16)}`);
  const line = `${mnemonic.padEnd(8)} ${text}`.trimEnd();
  return (code & 7) === 5 ? `${line.padEnd(26)} jt ${at + 1 + jt}\tjf ${at + 1 + jf}` : line;
}

/** Mnemonic and operand: k as a decimal offset, h in hexadecimal. */
const NAMES: Record<number, readonly [string, string]> = {
  [OP.loadWord]: ['ld', '[k]'],
  [OP.loadHalf]: ['ldh', '[k]'],
  [OP.loadByte]: ['ldb', '[k]'],
  [OP.loadWordX]: ['ld', '[x + k]'],
  [OP.loadHalfX]: ['ldh', '[x + k]'],
  [OP.loadByteX]: ['ldb', '[x + k]'],
  [OP.loadMemory]: ['ld', 'M[k]'],
  [OP.loadMemoryX]: ['ldx', 'M[k]'],
  [OP.set]: ['ld', '#h'],
  [OP.setX]: ['ldx', '#h'],
  [OP.headerLengthX]: ['ldxb', '4*([k]&0xf)'],
  [OP.store]: ['st', 'M[k]'],
  [OP.storeX]: ['stx', 'M[k]'],
  [OP.add]: ['add', '#k'],
  [OP.addX]: ['add', 'x'],
  [OP.multiply]: ['mul', '#h'],
  [OP.and]: ['and', '#h'],
  [OP.shiftLeft]: ['lsh', '#k'],
  [OP.shiftRight]: ['rsh', '#k'],
  [OP.xorX]: ['xor', 'x'],
  [OP.moveToX]: ['tax', ''],
  [OP.jump]: ['ja', ''],
  [OP.jumpEqual]: ['jeq', '#h'],
  [OP.jumpAbove]: ['jgt', '#h'],
  [OP.jumpAtLeast]: ['jge', '#h'],
  [OP.jumpSet]: ['jset', '#h'],
  [OP.return]: ['ret', '#k'],
  [OP.returnA]: ['ret', 'a'],
  // What libpcap's compiler uses besides.
  0x80: ['ld', '#pktlen'],
  0x81: ['ldx', '#pktlen'],
  0x1c: ['sub', 'x'],
  0x14: ['sub', '#k'],
  0x2c: ['mul', 'x'],
  0x3c: ['div', 'x'],
  0x34: ['div', '#k'],
  0x44: ['or', '#h'],
  0x4c: ['or', 'x'],
  0x5c: ['and', 'x'],
  0x6c: ['lsh', 'x'],
  0x7c: ['rsh', 'x'],
  0x84: ['neg', ''],
  0x94: ['mod', '#k'],
  0x9c: ['mod', 'x'],
  0xa4: ['xor', '#h'],
  0x1d: ['jeq', 'x'],
  0x2d: ['jgt', 'x'],
  0x3d: ['jge', 'x'],
  0x4d: ['jset', 'x'],
  0x87: ['txa', ''],
};
