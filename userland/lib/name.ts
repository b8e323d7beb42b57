// File names taken apart.

/** The last element: basename("/a/b/") is "b", basename("/") is "/". */
export function basename(name: string): string {
  const s = name.replace(/\/+$/, "");
  return s === "" ? name.slice(0, 1) : s.slice(s.lastIndexOf("/") + 1);
}

/** All but the last element: dirname("/a/b") is "/a", dirname("b") is ".". */
export function dirname(name: string): string {
  const s = name.replace(/\/+$/, "");
  if (s === "") return name.slice(0, 1) || ".";
  const i = s.lastIndexOf("/");
  return i < 0 ? "." : i === 0 ? "/" : s.slice(0, i).replace(/\/+$/, "") || "/";
}

/** One name in a directory: join("/", "a") is "/a". */
export function join(dir: string, name: string): string {
  return dir.endsWith("/") ? dir + name : `${dir}/${name}`;
}

/** The name with its dots and double slashes taken away: cleanname("/a/./b/../c//") is "/a/c". cleanname(2) */
export function cleanname(name: string): string {
  const rooted = name.startsWith("/");
  const out: string[] = [];
  for (const elem of name.split("/")) {
    if (elem === "" || elem === ".") continue;
    if (elem !== ".." || ((out.length === 0 || out.at(-1) === "..") && !rooted)) out.push(elem);
    else out.pop();
  }
  return `${rooted ? "/" : ""}${out.join("/")}` || ".";
}
