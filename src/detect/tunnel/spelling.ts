/**
 * How ordinary the spelling of host labels is: bits each octet costs under a model of which letter follows which, made
 * of the labels of popular domains (public domain) and common host words. Words cost about 4 bits a letter, numbers 6,
 * encoded data 6 to 7.5.
 */

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-_';
/** A row for the beginning of a label and one for each letter before; a column for each letter: thirds of a bit, base 36. */
const COSTS = [
  'bdbeefdfejifcehdleachgelikzqrrtuzwxszz',
  'mgdaohekeqjbcakdsacajimlfizvtuwzzzzzoz',
  '8gfj9okkaknaijalrcdhcrllinuuqzzxxxzxnz',
  'ajhcannadqbcii9jrdecfrnojwzvwzwzzzzznz',
  'agih8jhk7omigabiqgbgggkpiototrrzuzzwmz',
  'cfdbfjilkqkcfbhhs8aamhffjnzyswwzzyyzlz',
  'ajihackm8omckk8jmbicemmkfpvvvzvzzvszsz',
  '9khj7khfappbhg9kocchenppioxsquuzzzuzmz',
  '8jjh7kjl9noiih7kmhhecmlpjnzptqzzzzzzpz',
  'biaeehepnphcc7dgnfcbnfqimjzxwzzzzzzzpz',
  'ahfhahnkbjjjgl9ghg9h9nglhizzqzzzzzzzzz',
  'aghh8kkh8mjeghchlfafenkjfnzqoruzzuuunz',
  'alif8klm7pkchl9gpmfeemnmeszswvwzzzzzmz',
  '7gii6membqnjgkadpmdhhponfmzururzvyvznz',
  'bjdb7hakdogfjgelpmc9lkmminztxwzzzzzznz',
  'hfefmhdnhoidd8cds9ddchfhlmyuszzyzxzzoz',
  'ajhgamlfcnmbhh8bqadfepnlkqvqrsvyyzzylz',
  'fhghglhfdiheegfefged5heiiezlozoozzzzzz',
  '9ieg7khpbqeihgajsgecfenpgpzutyzyzwzzoz',
  'dkek9klcbnhgghccmid7eojvhrrrpzvzxxvzjz',
  '9jgk8jmc9pojhkbisacgfhgqgowtsuwyzzzwkz',
  'fbfdfkhrdokddajbo99bpknkkjxzzxxzxzzztz',
  'blgk5ojl5pkkjidjqhjjjnksjkqqqvszzzvvqz',
  '9jih8kif9klkie8gnj9hkkflkozvvqzvzvvzvz',
  'bhcgdhlhalnfege9lkfagiigeislssszssszpz',
  'afehaghgeklfebadngbbfjhomjzrquunrzquiz',
  'aihg9iih9ilefg8ijhiiekfnfcrrzzzrzzzzzz',
  'ldiihsijhxsigimgymfhqjjggw66fgggzfzjjz',
  'eshgmisthzukepgrzojokulwiy996dgzdcgilz',
  'gsgdnlflgiukfkfgzkdfluhluychh87hhlliiz',
  'ejfdftgjgktgggnfhidgjttvswzhebfk6fkekz',
  'didihgicmxeogmegymcegsgjswgbjgggg8zgjz',
  'enfcdpcneupkajjmvjjimpfgosg8ydgbgzgduz',
  'comciqopdvqmelkgwffkoqqtqu5ezhe9hzczvz',
  'inflcgfoeupfdfcfwbcjnpggptzaadzzdczzgz',
  'gmjbgolmhtejkddluiiblooqnracfcffffazfz',
  'focdeqagjvgldfknwkdfngesptzbechzzzh9hz',
  '9gbdfhdgcnnfaheczg9cjiiqqzqnzqzzzzzzzz',
  'bgeeaifgbnideccfocccgiikhltqrstwvvxwnz',
].join('');

/** Column of each octet; what is no letter of host names stands with `_`. */
const COLUMN = Uint8Array.from({ length: 256 }, (_, c) => {
  const at = LETTERS.indexOf(String.fromCharCode(c));
  return at < 0 ? LETTERS.length - 1 : at;
});
const WIDTH = LETTERS.length;
const COST = Float32Array.from(COSTS, (digit) => Number.parseInt(digit, 36) / 3);

/** Bits that the labels of a folded wire name cost, up to offset `end`. */
export function spellingBits(name: Uint8Array, end: number): number {
  let bits = 0;
  for (let at = 0; at < end; ) {
    const stop = at + name[at];
    let row = 0;
    while (at < stop) {
      const column = COLUMN[name[++at]];
      bits += COST[row * WIDTH + column];
      row = column + 1;
    }
    at++;
  }
  return bits;
}
