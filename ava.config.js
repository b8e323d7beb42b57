// Tests run compiled: test/x.test.ts is dist/test/x.test.js. TEST_HOST=1 selects those that need
// more than Node (sockets, a browser, a guest machine).
const host = process.env["TEST_HOST"] === "1";

export default {
  files: host ? ["test/host/**/*.test.ts"] : ["test/**/*.test.ts", "!test/host/**"],
  typescript: { rewritePaths: { "test/": "dist/test/" }, compile: false },
  nodeArguments: ["--enable-source-maps"],
  timeout: host ? "5m" : "60s",
};
