import type { JSX } from 'preact';
import type { Resource } from '../api.ts';
import { PageHead } from './head.tsx';
import { Answer } from './list.tsx';

/** The page of one domain or client: its head with a sentence, then what is known of it. */
export function SubjectPage<T extends { f: string }>({
  kind,
  value,
  back,
  answer,
  sentence: Sentence,
  body: Body,
}: {
  kind: 'domain' | 'client';
  value: string;
  back: { path: string; title: string };
  answer: Resource<T>;
  sentence: (props: { page: T }) => JSX.Element;
  body: (props: { page: T }) => JSX.Element;
}): JSX.Element {
  const page = answer.data;
  return (
    <article aria-busy={answer.loading}>
      <PageHead kind={kind} value={value} back={back} f={page?.f}>
        {page !== undefined && <Sentence page={page} />}
      </PageHead>
      <Answer answer={answer} height={520}>
        {page !== undefined && <Body page={page} />}
      </Answer>
    </article>
  );
}
