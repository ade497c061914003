import { tablesMadeBy } from '../bounded.ts';
import type { DetectServices } from '../detector.ts';
import type { Entities } from '../entities.ts';
import { SubNames } from './sub-names.ts';

const shared = new WeakMap<Entities, { names: SubNames; users: number }>();

/** The one of a judge: whichever detector asks first makes it, and each gives it up when it is gone (`leaveSubNames`). */
export function subNamesOf({ entities, isPopular, hostingSuffix }: DetectServices): SubNames {
  let one = shared.get(entities);
  if (one === undefined) {
    // It is nobody's alone: who asks first is not to be counted for it.
    const { made: names } = tablesMadeBy(() => new SubNames(entities, { isPopular, hostingSuffix }));
    one = { names, users: 0 };
    shared.set(entities, one);
  }
  one.users++;
  return one.names;
}

export function leaveSubNames({ entities }: DetectServices): void {
  const one = shared.get(entities);
  if (one === undefined || --one.users > 0) return;
  one.names.clear();
  shared.delete(entities);
}
