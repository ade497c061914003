import type { JSX } from 'preact';
import { api, useApi } from '../api.ts';
import { scope } from '../state.ts';
import { Problem } from '../ui/panel.tsx';

/** The first screen. */
export function Page(): JSX.Element {
  const { data, error, reload } = useApi(api.overview(scope.value), { follow: true });
  if (error !== undefined && data === undefined) return <Problem error={error} retry={reload} />;
  return <p>{data?.state.sentence}</p>;
}
