/**
 * For `node --import`: loads TypeScript and lets test files of one process share the product's modules. Jest starts its
 * workers with the same flags.
 */
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { register as registerTypeScript } from "tsx/esm/api";

registerTypeScript({ tsconfig: fileURLToPath(new URL("../tsconfig.json", import.meta.url)) });
register("./resolve.mjs", import.meta.url);
