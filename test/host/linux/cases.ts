// What the Linux guest does on each of its mounts. A script runs in an empty directory; what it writes
// and its status must be those of the same script on a tmpfs, but for differences.ts.

/** A script for the guest's shell, and what it shows of a file server. */
export type Case = {
  readonly name: string;
  /** The end of the sentence that begins with the name of a mount: "... as on tmpfs" is implied. */
  readonly title: string;
  readonly script: string;
  /** Mounts on which it is not run. */
  readonly not?: readonly string[];
};

/** A mount of a server that refuses a rename onto a file, as stat(5) has it: programs of Unix cannot do without. */
export const REFUSES = "exportfs-loose";

const one = (name: string, title: string, script: string): Case => ({ name, title, script });

const replaces = (name: string, title: string, script: string): Case => ({
  ...one(name, title, script),
  not: [REFUSES],
});

/** With cache=loose Linux opens a file once more to write it back, as its mode is: git's objects have mode 444. */
const uncached = (c: Case): Case => ({ ...c, not: [...(c.not ?? []), "ramfs-loose"] });

const files: readonly Case[] = [
  one(
    "create",
    "files are created, read, appended to and truncated",
    `echo one >f; cat f; echo two >>f; cat f; : >g; wc -c f g
     truncate -s 5 f; cat f; echo; truncate -s 9 f; od -c f; echo three >f; cat f; cp f h; tree`,
  ),
  one(
    "exclusive",
    "a file that must be new is not created twice",
    `set -C; echo one >f; echo two >f; cat f`,
  ),
  one("rename", "a renamed file has its new name only", `echo hi >f; mv f g; cat f; cat g; tree`),
  one(
    "renamedir",
    "a renamed directory keeps what it holds",
    `mkdir -p a/b/c; echo x >a/b/c/f; mv a/b a/z; mv a y; tree; cat y/z/c/f; cat a/b/c/f
     echo more >>y/z/c/f; cat y/z/c/f; mkdir a; tree`,
  ),
  one(
    "movedir",
    "mv carries files and trees from one directory to another",
    `forest a; mkdir b; echo f >f; mv f b; mv b/f b/g; mv a/src b; tree; sums`,
  ),
  one(
    "mkdir",
    "mkdir -p makes a path, and rm -r removes a tree",
    [
      "mkdir -p a/b/c/d/e a/b/f; mkdir -p a/b; touch a/b/c/x; tree; rm -r a/b/c; tree; rm -r a; tree",
      "mkdir a; rmdir a; tree",
    ].join("\n"),
  ),
  one(
    "refused",
    "what cannot be done is refused with the same errors",
    `mkdir d d/e; echo f >f; mkdir d; rmdir d; cat d; rm d; rm none; cat none; cat f/x; mkdir f/x; cat d/none/x
     rmdir f; : >d; : >none/x; mv none other; chmod 600 none; mkdir none/x; ls none; cd f; touch none/y; tree`,
  ),
  one(
    "modes",
    "chmod sets modes, umask applies to new files",
    `
     umask 027; echo >f; mkdir d; umask 077; echo >g; mkdir e; chmod 400 f; chmod 755 g; chmod 700 d; tree`,
  ),
  one(
    "times",
    "touch -d sets times, cp -p keeps them, and find and ls compare them",
    `touch -d '2001-02-03 04:05:06' f; touch -d '2011-12-13 14:15:16' g; mkdir d; touch -d '1999-01-01 00:00:00' d
     stat -c '%Y %n' f g d; cp -p f h; stat -c %Y h; find . -name '?' -newer f | sort; ls -t f g h; ls -l f g
     echo x >f; test f -nt g && echo newer; touch -r g f; stat -c %Y f`,
  ),
  one(
    "names",
    "long names, spaces, quotes, UTF-8, and bytes that are not UTF-8 come back as they were",
    `long=$(head -c 255 /dev/zero | tr '\\0' n); for name in 'a b' ' ' 'ä€😀' "it's" '"' 'a\\b' '-x' '*' '#x' "$long" \\
       "$(printf '\\377\\300')" .hidden ...; do echo "$name" >"./$name"; mkdir "./$name.d"; done
     for f in * .h*; do echo "<$f>"; test -f "$f" && cat "./$f"; done; ls -A | md5sum; echo >"./$long$long"; rm -r ./*; ls -A`,
  ),
  one(
    "control",
    "a name with a control character",
    `f=$(printf 'a\\tb'); echo x >"$f"; echo $?; cat "$f" 2>/dev/null; ls -A`,
  ),
  one("links", "neither kind of link can be made", `echo f >f; ln f g; ln -s f h; mkfifo p; tree`),
  one(
    "onto",
    "a rename onto a file takes its place",
    `echo f >f; echo g >g; mv -f f g; cat g; sed -i s/./h/ g 2>/dev/null; echo $?; cat g; ls`,
  ),
  one(
    "open",
    "an open file can be read and written after it was renamed, shortened or removed",
    `echo one >f; exec 3<f 4>>f; mv f g; echo two >&4; cat <&3; cat g; rm g; echo three >&4; cat <&3; tree
     exec 3<&- 4>&-; tree; echo one >f; exec 3<f; : >f; cat <&3; echo fresh >f; cat <&3; rm f; tree`,
  ),
];

const trees: readonly Case[] = [
  one(
    "copy",
    "cp -r copies a tree, and diff -r finds what was changed",
    `forest a; cp -a a b; diff -r a b && echo same; tree b; echo changed >>b/doc/page3; rm b/src/f2
     diff -r a b`,
  ),
  one(
    "walks",
    "du, find and grep -r reach all that a tree holds",
    `forest a; du -a a | cut -f 2 | sort; find a -name 'f*' -size +4k | sort; find a -type d | sort; grep -r needle a; grep -rl page a | sort
     find a -name 'page*' -delete; find a -empty | sort`,
  ),
  one(
    "tar",
    "tar packs a tree and unpacks it",
    `forest a; mkdir b; tar c a | tar x -C b; diff -r a b/a && echo same; tree b; tar czf t.tgz a; rm -r a; tar xzf t.tgz
     diff -r a b/a && echo same; tar tzf t.tgz | sort`,
  ),
  one(
    "many",
    "a directory of 200 names, made and removed by four processes at once, lists each of them once",
    `mkdir d; for k in 0 1 2 3; do (i=0; while test $i -lt 50; do : >d/name$k.$i; i=$((i + 1)); done) & done; wait
     ls d | wc -l; ls d | md5sum; stat -c %s d/name3.49
     for k in 0 1 2 3; do rm d/name$k.* & done; wait; ls -A d; rmdir d; tree`,
  ),
  one(
    "below",
    "a shell whose directory, or one above it, is renamed goes on in it",
    `mkdir -p a/b; echo one >a/b/f; cd a/b; mv ../../a ../../z 2>&1; mv "$M/z/b" "$M/z/y"; cat f; echo two >>f; echo new >g; mkdir d
     cat f g; ls; ls ..; mv g d; cat d/g; cd d; ls; cd "$M"; tree`,
  ),
  one(
    "beneath",
    "a shell whose directory another client renames goes on in it",
    `mkdir -p a/b; echo one >a/b/f; cd a/b; mv "$N/a" "$N/z"; mkdir "$N/a" "$N/a/b"; echo wrong >"$N/a/b/f"
     cat f; echo two >>f; cat f; echo new >g; ls; sync; cat "$N/z/b/f" "$N/z/b/g"; cat "$N/a/b/f"; ls "$N/a/b"`,
  ),
  one(
    "gone",
    "a shell whose directory is removed finds nothing there",
    `mkdir -p a/b; cd a/b; rmdir ../b; ls; echo >f; cat f; mkdir c; cd "$M"; tree`,
  ),
  one(
    "two",
    "what one client makes, changes, renames and removes is seen by another",
    `echo one >f; sync; cat "$N/f"; echo two >>"$N/f"; sync; cat f; mkdir "$N/d"; ls; mv "$N/f" "$N/d/g"; cat f; cat d/g
     mv d e; cat "$N/e/g"; ls "$N"; rm "$N/e/g"; ls e; rmdir e; ls "$N"`,
  ),
];

const bytes: readonly Case[] = [
  one(
    "dd",
    "dd reads and writes at offsets, and leaves the rest",
    `dd if=/big of=f bs=1000 count=300 2>/dev/null; md5sum f
     dd if=/big of=f bs=777 seek=11 skip=500 count=90 conv=notrunc 2>/dev/null; wc -c f; md5sum f
     dd if=f bs=1 skip=8540 count=40 2>/dev/null; echo; dd if=f bs=4096 skip=3 count=9 2>/dev/null | md5sum
     dd if=/big of=f bs=10 seek=5 count=1 2>/dev/null; wc -c f; tail -c 12 f; echo`,
  ),
  one(
    "sparse",
    "what was never written reads as zeros",
    `truncate -s 1000000 f; md5sum f; printf end | dd of=f bs=1 seek=2000000 conv=notrunc 2>/dev/null; wc -c f; md5sum f
     tail -c 6 f | od -c; truncate -s 1000001 f; truncate -s 1500000 f; md5sum f`,
  ),
  one(
    "sort",
    "sort, cut, uniq and gzip of a file of several megabytes",
    `cp /big .; cmp big /big && echo same; sort -n big >sorted; md5sum sorted; wc -l big sorted; head -n 2 sorted; tail -n 1 sorted
     cut -c 1-3 sorted | uniq -c | md5sum; head -c 400000 big | gzip -c >big.gz; gunzip -c big.gz | md5sum`,
  ),
  one(
    "exec",
    "a program and a script run from the mount",
    `cp /bin/busybox b; ./b echo ran; printf '#!/bin/sh\\necho script $1\\n' >s; chmod +x s; ./s one; cmp b /bin/busybox && echo same`,
  ),
  one(
    "rsync",
    "rsync --inplace copies a tree, then nothing, then what was changed",
    `forest a; find a -exec touch -d '2001-02-03 04:05:06' {} +; rsync -rtO --inplace -i a/ b; diff -r a b && echo same; rsync -rtO --inplace -i a/ b; echo again $?
     echo changed >>a/doc/page2; printf X | dd of=a/src/f5 bs=1 seek=7000 conv=notrunc 2>/dev/null; rm a/doc/page1
     find a -exec touch -d '2011-12-13 14:15:16' {} +
     rsync -rtO -c --inplace --no-whole-file --delete -i a/ b; diff -r a b && echo same; tree b`,
  ),
  one(
    "sqlite",
    "sqlite makes, changes and checks a database",
    `seq 1 2000 | awk 'BEGIN { print "create table t(a integer primary key, b text);begin;" }
       { print "insert into t values(" $1 ", hex(" $1 * 7919 ") || \\"" $1 "\\");" } END { print "commit;" }' | tr '"' "'" >in
     sqlite3 db <in; sqlite3 db 'select count(*), sum(a), max(b) from t; pragma integrity_check'
     for i in 1 2 3; do sqlite3 db "insert into t(b) values('later $i')"; done
     sqlite3 db 'begin; delete from t; rollback; delete from t where a % 3 = 0; create index i on t(b); vacuum'
     sqlite3 db 'select count(*), sum(a) from t; pragma integrity_check; select b from t where a > 2000'; ls; md5sum db`,
  ),
  one(
    "fsx",
    "random reads, writes and truncations agree with a copy in memory",
    `for s in 1 2; do fsx $s 150 f; rm f; done`,
  ),
  replaces(
    "rsyncs",
    "rsync copies a tree, and then what was changed, each file by a rename",
    `forest a; find a -exec touch -d '2001-02-03 04:05:06' {} +; rsync -rtO -i a/ b; diff -r a b && echo same
     echo changed >>a/doc/page2; rm a/doc/page1; find a -exec touch -d '2011-12-13 14:15:16' {} +
     rsync -rtO -c --backup --delete -i a/ b; tree b; rm b/*/*~; diff -r a b && echo same`,
  ),
  uncached(
    replaces(
      "git",
      "git makes commits, goes back and forth between them, and merges them",
      `export GIT_AUTHOR_NAME=k GIT_AUTHOR_EMAIL=k@x GIT_COMMITTER_NAME=k GIT_COMMITTER_EMAIL=k@x
     export GIT_AUTHOR_DATE='2001-02-03 04:05:06 +0000' GIT_COMMITTER_DATE='2001-02-03 04:05:06 +0000'
     mkdir a; for i in 1 2 3; do echo "page $i" >a/page$i; done; head -c 30000 /big >a/big
     git init -q -b main --template= .; git add a; git commit -qm one; echo more >>a/page1; git rm -q a/page2; git commit -qam two
     git checkout -q -b side HEAD~1; cat a/page1; ls a; echo side >a/side; git add a; git commit -qm side; git merge -q -m merged main
     cat a/page1; ls a; git log --format='%H %s'; git status --short; git config core.filemode`,
    ),
  ),
  replaces(
    "vim",
    "an editor keeps the old text beside the new one, twice",
    `printf 'one\ntwo\n' >f; for i in 1 2; do vim.tiny -u NONE -i NONE -es -c 'set backup backupcopy=no' -c '%s/o/0/' -c wq f
     cat f f~; done; ls -A; vim.tiny -u NONE -i NONE -es -c 'set backup backupcopy=yes' -c '%s/n/N/' -c wq f; cat f f~; ls -A`,
  ),
  one("map", "mapped reads and writes agree with a copy in memory", `fsx -m 5 150 f; ls`),
];

/** All of them, in the order in which the guest runs them. */
export const cases: readonly Case[] = [...files, ...trees, ...bytes];
