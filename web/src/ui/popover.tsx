import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** A small window below its button, which closes on Escape and a press elsewhere. */
export function Popover({
  label,
  onClose,
  children,
  class: name = '',
}: {
  label: string;
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
}): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    const opener = document.activeElement;
    const away = (event: Event): void => {
      // The opener itself is beside it, in the same parent.
      if (element?.parentElement?.contains(event.target as Node) !== true) onClose();
    };
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      onClose();
      if (opener instanceof HTMLElement) opener.focus();
    };
    document.addEventListener('pointerdown', away);
    document.addEventListener('keydown', escape);
    return () => {
      document.removeEventListener('pointerdown', away);
      document.removeEventListener('keydown', escape);
    };
  }, [onClose]);
  return (
    <div ref={box} class={`popover ${name}`} role="dialog" aria-label={label}>
      {children}
    </div>
  );
}
