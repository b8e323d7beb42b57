// The limit: a server of node:net that sends back what it is sent. It listens on a free port, prints it,
// and ends with its standard input.

import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("data", (chunk) => socket.write(chunk));
  socket.on("error", () => socket.destroy());
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stderr.write(`serving echo on tcp!127.0.0.1!${port}\n`);
});
process.on("SIGINT", () => process.exit(0));
