import type { Store } from '../store/store.ts';

/** A store of which some things are done otherwise; everything else is its own, whatever it comes to have. */
export function storeOver(store: Store, own: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, key) {
      const value: unknown = Reflect.get(Object.hasOwn(own, key) ? own : target, key);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
