import { startSimulator } from "../../src/simulator/simulator.js";
import type { SimulatorOptions } from "../../src/simulator/world/options.js";

/** The simulated HubSpot as a process of its own: options as JSON in the first argument, its URL on standard output. */
const simulator = await startSimulator(JSON.parse(process.argv[2] ?? "{}") as SimulatorOptions);
process.stdout.write(`simulator ${simulator.url}\n`);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void simulator.close().then(() => process.exit(0)));
}
