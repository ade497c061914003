import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** The tokens of each theme; light ones stand on top of the dark ones. */
const css = readFileSync(new URL('../../web/src/style/tokens.css', import.meta.url), 'utf8');
const [dark, light] = css
  .split(':root[data-theme="light"]')
  .map((block) => new Map([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex])));
const THEMES = { dark, light: new Map([...dark, ...light]) };

type Triple = readonly [number, number, number];

/** Linear red, green, blue of a colour, 0 … 1. */
function linear(hex: string): Triple {
  const at = (k: number): number => {
    const value = Number.parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [at(0), at(1), at(2)];
}

function times(rows: readonly Triple[], [a, b, c]: Triple): Triple {
  const [x, y, z] = rows.map(([p, q, r]) => p * a + q * b + r * c);
  return [x, y, z];
}

/** How eyes without one of the cones see linear colours (Machado, Oliveira, Fernandes 2009, severity 1). */
const SIGHT: Readonly<Record<string, readonly Triple[]>> = {
  usual: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** OKLab: equal steps look equal; lightness first. */
function lab(colour: Triple): Triple {
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    colour,
  );
  const [l, m, s] = cones.map((value) => Math.cbrt(Math.max(0, value)));
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    [l, m, s],
  );
}

function contrast(a: string, b: string): number {
  const of = (hex: string): number => times([[0.2126, 0.7152, 0.0722]], linear(hex))[0];
  const [x, y] = [of(a), of(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}

const colour = (theme: keyof typeof THEMES, name: string): string => THEMES[theme].get(name) ?? assert.fail(name);
/** What lines of a chart are drawn in, and marks that say how something is (each has a shape of its own too). */
const SERIES = ['signal', 'attn', 'alarm', 'info'];
/** As far apart as two neighbours of the densities: told apart side by side. */
const LEAST_APART = 0.05;

for (const theme of ['dark', 'light'] as const) {
  test(`${theme}: colours that say something differ for every kind of sight`, () => {
    for (const [sight, matrix] of Object.entries(SIGHT)) {
      const seen = SERIES.map((name) => lab(times(matrix, linear(colour(theme, name)))));
      for (let i = 0; i < seen.length; i++) {
        for (let k = 0; k < i; k++) {
          const apart = Math.hypot(...seen[i].map((value, axis) => value - seen[k][axis]));
          assert.ok(apart > LEAST_APART, `${sight}: ${SERIES[i]} and ${SERIES[k]} are ${apart.toFixed(3)} apart`);
        }
      }
    }
  });

  test(`${theme}: densities go one way in lightness, whoever looks`, () => {
    for (const matrix of Object.values(SIGHT)) {
      const steps = [0, 1, 2, 3, 4, 5, 6].map((n) => lab(times(matrix, linear(colour(theme, `h${n}`))))[0]);
      const way = Math.sign(steps[6] - steps[0]);
      for (let n = 1; n < steps.length; n++)
        assert.ok((steps[n] - steps[n - 1]) * way > 0.03, `${n}: ${steps.join(' ')}`);
    }
  });

  test(`${theme}: text can be read on everything that it stands on (WCAG 2.2, 1.4.3)`, () => {
    for (const ink of ['ink', 'mute', 'faint', ...SERIES]) {
      for (const ground of ['bg', 'panel', 'raise']) {
        const ratio = contrast(colour(theme, ink), colour(theme, ground));
        assert.ok(ratio >= 4.5, `${ink} on ${ground}: ${ratio.toFixed(2)}`);
      }
    }
  });
}
