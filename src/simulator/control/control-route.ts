import type { World } from "../world/world.js";

export interface ControlCall {
  readonly world: World;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

/** One control; what `answer` returns is sent as JSON. RangeError says "no such thing", a Zod error "wrong body". */
export interface ControlRoute {
  readonly method: "GET" | "POST" | "PUT";
  /** Below `/_simulator`. */
  readonly path: string;
  readonly answer: (call: ControlCall) => unknown;
}
