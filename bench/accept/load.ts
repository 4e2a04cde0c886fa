import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Volley, VolleyResult } from "./load-process.js";

const SCRIPT = fileURLToPath(new URL("./load-process.ts", import.meta.url));

/** The process load comes from: one for all targets, so that each meets the same. */
export interface LoadGenerator {
  fire(volley: Volley): Promise<VolleyResult>;
  close(): void;
}

export async function startLoadGenerator(): Promise<LoadGenerator> {
  const child = fork(SCRIPT, [], { execArgv: ["--import", "tsx"], serialization: "advanced" });
  function answer<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => {
        reject(new Error("the load generator ended"));
      };
      child.once("exit", onExit);
      child.once("message", (message) => {
        child.off("exit", onExit);
        resolve(message as T);
      });
    });
  }
  await answer();
  return {
    fire(volley) {
      const result = answer<VolleyResult>();
      child.send(volley);
      return result;
    },
    close() {
      child.disconnect();
    },
  };
}
