// What the library itself says to a client: lib9p's words where it has any.

export const Eauth = "authentication not required";
export const Eauthfirst = "authentication required";
export const Eauthother = "authentication was for another user or tree";
export const Eauthpending = "authentication is not finished";
export const Ebadfcall = "bad fcall";
export const Ebadoffset = "bad offset";
export const Ecloneopen = "cannot clone open fid";
export const Edupfid = "duplicate fid";
export const Eisopen = "file already open for I/O";
export const Emsize = "message size too small";
export const Enocreate = "create prohibited";
export const Enoremove = "remove prohibited";
export const Enofids = "out of fids";
export const Enotopen = "fid not open";
export const Enotyet = "no version negotiated";
export const Enowrite = "write prohibited";
export const Enowstat = "wstat prohibited";
export const Enoread = "read prohibited";
export const Ereply = "reply does not fit msize";
export const Eunknownfid = "unknown fid";

/** What a client gets that claims to be another user than the one it has proved to be. */
export function otheruser(proved: string, claimed: string): string {
  return `authentication failed: the certificate is for ${proved}, not ${claimed}`;
}

/** What a request on a fid that is open for something else gets. */
export function wrongmode(what: "read" | "write", omode: number): string {
  return `${what} on fid with open mode 0x${omode.toString(16)}`;
}
