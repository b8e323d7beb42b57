// Qids and directory entries: stat(5), and their bytes. An entry on the wire is
//
//	size[2] type[2] dev[4] qid[13] mode[4] atime[4] mtime[4] length[8] name[s] uid[s] gid[s] muid[s]
//
// where size counts what follows it. In a wstat every field of all ones, and every empty string, means
// "leave this alone".

/** What a server says a file is: two files are the same if, and only if, their qids are. */
export type Qid = { readonly path: bigint; readonly vers: number; readonly type: number };

/** A directory entry. type and dev are the kernel's: the device's letter as a number, and which of those. */
export type Dir = {
	readonly type: number;
	readonly dev: number;
	readonly qid: Qid;
	readonly mode: number;
	readonly atime: number;
	readonly mtime: number;
	/** At most MAXOFFSET; above it TOOBIG; -1 is the "leave this alone" of wstat. */
	readonly length: number;
	readonly name: string;
	readonly uid: string;
	readonly gid: string;
	readonly muid: string;
};

/** What a wstat changes: the fields that are there. */
export type Wstat = Partial<Dir>;
