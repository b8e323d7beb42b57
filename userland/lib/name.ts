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
