import { flag, group, list, type Setting, text, type ValueOf } from '../core/settings.ts';
import { baselineSettings } from '../baseline/settings.ts';
import type { DetectorDefinition } from './detector.ts';
import { DETECTORS } from './index.ts';

/** The key of a detector in the configuration: `tun_bytes` of `TUN-BYTES`. */
export function settingsKey(id: string): string {
  return id.toLowerCase().replaceAll('-', '_');
}

function keysOf(settings: Setting): Readonly<Record<string, Setting>> {
  if (settings.shape.kind !== 'group') throw new Error('the settings of a detector are a group');
  return settings.shape.keys;
}

function detectorSettings({ title, summary, settings }: DetectorDefinition): Setting {
  return group(`${title}. ${summary}`, {
    enabled: flag('Whether it runs.', { default: true }),
    enforce: flag(
      'Whether what it proposes is carried out where blocking is set up; else it is only shown what would have been.',
      { default: false },
    ),
    ...keysOf(settings),
  });
}

/** Values of a detector's group, besides those of its own. */
export interface DetectorSwitches {
  enabled: boolean;
  enforce: boolean;
}

/** Key `detect`. */
export const detectSettings = group('What is looked for in the traffic, and how much of it is too much.', {
  enabled: flag('Whether detectors run at all.', { default: true, reloads: true }),
  allow: list(
    'Domains that never raise an alert of their own, with everything below them.',
    text('A domain: example.com.'),
    { example: ['example.com'], reloads: true },
  ),
  popular: text(
    'File of domains that everybody asks for, one a line, the most popular first; absent: the list that nametap brings.',
    { example: '/etc/nametap/popular.txt' },
  ),
  rules: list('Files of rules of your own.', text('A file: /etc/nametap/rules.yaml.'), {
    example: ['/etc/nametap/rules.yaml'],
    reloads: true,
  }),
  baseline: baselineSettings,
  detectors: group(
    'Each detector with its limits.',
    Object.fromEntries(DETECTORS.map((one) => [settingsKey(one.id), detectorSettings(one)])),
    { isTogether: true, reloads: true },
  ),
});
export type DetectConfig = ValueOf<typeof detectSettings>;

/** What the configuration says of a detector. */
export function settingsOf(config: DetectConfig, { id }: DetectorDefinition): DetectorSwitches {
  return config.detectors[settingsKey(id)] as DetectorSwitches;
}
