import { useCallback, useEffect, useState } from "react";
import type { Answer } from "./settings-api.ts";

/** What was asked for, once it is there; `reload` asks again. `load` has to be the same function at each render. */
export function useAnswer<Value>(load: () => Promise<Answer<Value>>): {
  answer: Answer<Value> | undefined;
  reload: () => void;
} {
  const [answer, setAnswer] = useState<Answer<Value>>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    let isWanted = true;
    setAnswer(undefined);
    void load().then((next) => {
      if (isWanted) setAnswer(next);
    });
    return () => {
      isWanted = false;
    };
  }, [load, round]);
  const reload = useCallback(() => setRound((count) => count + 1), []);
  return { answer, reload };
}
