/**
 * A thread of its own, so that what it costs is not mistaken for what it costs the app: opens connections that each send a
 * head and then a body in chunks of one byte, as many as are taken. Posts what each was answered, once all are closed.
 */
import { connect } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const CRUMBS_A_WRITE = 4_000;
const crumbs = "1\r\nx\r\n".repeat(CRUMBS_A_WRITE);

function flood({ port, head, crumbsEach }) {
  return new Promise((resolve) => {
    let [answer, sent] = ["", 0];
    const socket = connect({ host: "127.0.0.1", port }).setEncoding("utf8");
    socket.on("error", () => undefined);
    socket.on("data", (part) => (answer += part));
    socket.on("close", () => resolve(answer));
    const send = () => {
      for (; sent < crumbsEach && !socket.destroyed; sent += CRUMBS_A_WRITE) {
        if (!socket.write(crumbs)) return void socket.once("drain", () => ((sent += CRUMBS_A_WRITE), send()));
      }
    };
    socket.write(head);
    send();
  });
}

const answers = await Promise.all(Array.from({ length: workerData.connections }, () => flood(workerData)));
parentPort.postMessage(answers);
