/**
 * Wraps a read so that each key is read once: concurrent callers share the answer, later ones get it again, including
 * "not there". A failed read is forgotten. Meant to live as long as one turn.
 */
export function readOnce<T>(): (key: string, read: () => Promise<T>) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (key, read) => {
    const known = answers.get(key);
    if (known !== undefined) return known;
    const answer = read();
    answers.set(key, answer);
    answer.catch(() => answers.delete(key));
    return answer;
  };
}
