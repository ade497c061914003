import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { boundKeys } from '../keys.ts';
import { PAGES } from '../pages.ts';
import { t } from '../text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Kbd } from '../ui/panel.tsx';

export const helpIsOpen = signal(false);

/** Every key that does something here. */
export function Help(): JSX.Element {
  const keys = boundKeys();
  const pages = new Set(PAGES.map(({ key }) => `g ${key}`));
  const here = keys.filter((binding) => !pages.has(binding.keys));
  return (
    <Dialog
      title={t('help.title')}
      wide
      onClose={() => {
        helpIsOpen.value = false;
      }}
    >
      <div class="help">
        <dl>
          {here.map((binding) => (
            <Line key={binding.keys} keys={binding.keys} text={t(binding.title)} />
          ))}
          <Line keys="→ ←" text={t('help.cells')} />
          <Line keys="Enter" text={t('help.open')} />
          <Line keys="Shift →" text={t('help.chart')} />
          <Line keys="Esc" text={t('help.close')} />
        </dl>
        <dl>
          {keys
            .filter((binding) => pages.has(binding.keys))
            .map((binding) => (
              <Line key={binding.keys} keys={binding.keys} text={t('help.goto', { page: t(binding.title) })} />
            ))}
        </dl>
      </div>
    </Dialog>
  );
}

function Line({ keys, text }: { keys: string; text: string }): JSX.Element {
  return (
    <div>
      <dt>
        {keys.split(' ').map((key) => (
          <Kbd key={key}>{key}</Kbd>
        ))}
      </dt>
      <dd>{text}</dd>
    </div>
  );
}
