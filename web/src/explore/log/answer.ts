import { useEffect, useState } from 'preact/hooks';
import { type ApiError, toApiError } from '../../api.ts';

/** The newest answer of a question that is no request of the API; none is asked where `ask` gives undefined. */
export function useAnswer<T>(
  ask: () => Promise<T> | undefined,
  about: readonly unknown[],
): { data: T | undefined; error: ApiError | undefined; loading: boolean } {
  const [state, setState] = useState<{ data?: T; error?: ApiError; loading: boolean }>({ loading: true });
  useEffect(() => {
    let isOver = false;
    setState(({ data }) => ({ ...(data !== undefined && { data }), loading: true }));
    ask()?.then(
      (data) => isOver || setState({ data, loading: false }),
      (thrown: unknown) => isOver || setState({ error: toApiError(thrown), loading: false }),
    );
    return () => {
      isOver = true;
    };
  }, about);
  return { data: state.data, error: state.error, loading: state.loading };
}
