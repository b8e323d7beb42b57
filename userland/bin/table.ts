// The commands of /bin: a row for each has its usage and what it does. These rows make /bin itself, the list in the
// documents, and the tests of the usages.

import type { TaskMain } from "../../syscalls/sys.ts";
import ninefs from "./9fs.ts";
import basename from "./basename.ts";
import bind from "./bind.ts";
import cat from "./cat.ts";
import chgrp from "./chgrp.ts";
import chmod from "./chmod.ts";
import cleanname from "./cleanname.ts";
import cmp from "./cmp.ts";
import comm from "./comm.ts";
import cp from "./cp.ts";
import date from "./date.ts";
import dd from "./dd.ts";
import du from "./du.ts";
import echo from "./echo.ts";
import ed from "./ed.ts";
import exportfs from "./exportfs.ts";
import fcp from "./fcp.ts";
import fossil from "./fossil.ts";
import file from "./file.ts";
import grep from "./grep.ts";
import hellofs from "./hellofs.ts";
import hget from "./hget.ts";
import httpd from "./httpd.ts";
import importcmd from "./import.ts";
import join from "./join.ts";
import kill from "./kill.ts";
import lc from "./lc.ts";
import listen from "./listen.ts";
import ls from "./ls.ts";
import mkdir from "./mkdir.ts";
import mount from "./mount.ts";
import mtime from "./mtime.ts";
import mv from "./mv.ts";
import netstat from "./netstat.ts";
import newns from "./newns.ts";
import ns from "./ns.ts";
import ps from "./ps.ts";
import pwd from "./pwd.ts";
import ramfs from "./ramfs.ts";
import rc from "./rc.ts";
import read from "./read.ts";
import rm from "./rm.ts";
import sed from "./sed.ts";
import seq from "./seq.ts";
import sleep from "./sleep.ts";
import sort from "./sort.ts";
import split from "./split.ts";
import srv from "./srv.ts";
import strings from "./strings.ts";
import sum from "./sum.ts";
import tail from "./tail.ts";
import tee from "./tee.ts";
import test from "./test.ts";
import time from "./time.ts";
import touch from "./touch.ts";
import tr from "./tr.ts";
import uniq from "./uniq.ts";
import unmount from "./unmount.ts";
import wc from "./wc.ts";
import xd from "./xd.ts";

/** A command: its name below /bin, its program, what follows its name, and what it does, in a line. */
export type Command = {
  readonly name: string;
  readonly main: TaskMain;
  readonly usage: string;
  readonly brief: string;
};

type Row = readonly [name: string, main: TaskMain, usage: string, brief: string];

const ROWS: readonly Row[] = [
  ["9fs", ninefs, "service [mountpoint]", "mount the files of another machine on /n"],
  ["auth/newns", newns, "[-ad] [-n namespace] [cmd [args...]]", "run in a name space made afresh"],
  ["basename", basename, "[-d] string [suffix]", "the last element of a name"],
  ["bind", bind, "[-b|-a|-c|-bc|-ac] new old", "make a file appear at another name"],
  ["cat", cat, "[file ...]", "copy files to descriptor 1"],
  ["chgrp", chgrp, "[ -uo ] group file ....", "change the group of files"],
  ["chmod", chmod, "0777 file ... or chmod [who]op[rwxalt] file ...", "change permissions"],
  ["cleanname", cleanname, "[-d pwd] name...", "names without dots and double slashes"],
  ["cmp", cmp, "[-lLs] file1 file2 [offset1 [offset2] ]", "compare two files"],
  ["comm", comm, "[-123] file1 file2", "lines that two sorted files share"],
  ["cp", cp, "[-gux] fromfile tofile", "copy files"],
  ["date", date, "[-un] [seconds]", "the time"],
  ["dd", dd, "[-option value ...]", "copy and convert blocks"],
  ["du", du, "[-aefhnqstu] [-b size] [-p si-pfx] [file ...]", "the room that files take"],
  ["echo", echo, "[-n] [word ...]", "print words"],
  ["ed", ed, "[-] [-o] [file]", "edit a text by commands"],
  ["exportfs", exportfs, "[-Rs] [-r root] [-S srvname] [--listen addr]", "serve this name space"],
  ["fcp", fcp, "fromfile tofile", "copy files, many pieces at once"],
  ["file", file, "[-m] [file...]", "what files hold"],
  ["fossil", fossil, "-f disk [-m mountpoint] [-S srvname]", "files that are kept"],
  ["grep", grep, "[-bchiLlnsv] [-e pattern] [-f patternfile] [file ...]", "find lines"],
  ["hellofs", hellofs, "", "a small file server to look at"],
  ["hget", hget, "[-v] [-o file] url", "fetch a web page"],
  ["httpd", httpd, "[-a addr] [-d dir]", "serve files to browsers"],
  ["import", importcmd, "[-abcC] host remotefs [mountpoint]", "files of another machine"],
  ["join", join, "[-1 x -2 y] [-o list] file1 file2", "lines that agree in a field"],
  ["kill", kill, "name ...", "print commands that end processes"],
  ["lc", lc, "[-dlmnpqrstuFQT] [file ...]", "list files in columns"],
  ["listen", listen, "[-q] [-d servdir] [proto]", "answer calls with programs"],
  ["ls", ls, "[-dlmnpqrstuFQT] [file ...]", "list files"],
  ["mkdir", mkdir, "[-p] [-m mode] dir...", "make directories"],
  ["mount", mount, "[-a|-b] [-cnq] [-k keypattern] /srv/service dir [spec]", "mount a server"],
  ["mtime", mtime, "file...", "when files were changed"],
  ["mv", mv, "fromfile tofile", "rename and move files"],
  ["netstat", netstat, "[-n] [-p proto] [network-dir]", "conversations of the network"],
  ["ns", ns, "[-r] [pid]", "print a name space"],
  ["ps", ps, "[-ap]", "list processes"],
  ["pwd", pwd, "", "the current directory"],
  ["ramfs", ramfs, "[-i] [-m mountpoint] [-psu] [-S srvname] [--perm mode]", "files in memory"],
  ["rc", rc, "[-SsrdiIlxepvV] [-c arg] [-m command] [file [arg ...]]", "the command language"],
  ["read", read, "[-m] [-n nlines] [files...]", "copy one line"],
  ["rm", rm, "[-fr] file ...", "remove files"],
  ["sed", sed, "[-n] [-g] [-e script] [-f sfile] [file ...]", "edit lines by a script"],
  ["seq", seq, "[-fformat] [-w] [first [incr]] last", "print numbers"],
  ["sleep", sleep, "time", "wait"],
  ["sort", sort, "[-cmubdfgiMnrw] [-t c] [-k pos1[,pos2]] [-o file] [file ...]", "sort lines"],
  ["split", split, "[-n num] [-e exp] [-f stem] [-s suff] [-x] [-i] [file]", "cut a file up"],
  ["srv", srv, "[-abcCm] [net!]host [srvname [mtpt]]", "post a server in /srv"],
  ["strings", strings, "[-m min] [file...]", "text in files that are none"],
  ["sum", sum, "[-r5] [files]", "checksums"],
  ["tail", tail, "[-n N] [-c N] [-f] [-r] [+-N[bc][fr]] [file]", "the end of a file"],
  ["tee", tee, "[-ai] [file ...]", "copy to several files"],
  ["test", test, "expression", "the truth about files, words and numbers"],
  ["time", time, "command", "how long a command takes"],
  ["touch", touch, "[-c] [-t time] files", "set the time of files"],
  ["tr", tr, "[-cds] [string1 [string2]]", "characters in place of others"],
  ["uniq", uniq, "[-udc [+-num]] [file]", "drop repeated lines"],
  ["unmount", unmount, "mountpoint", "undo bind and mount"],
  ["wc", wc, "[-lwrbc] [file ...]", "count lines, words, characters"],
  ["xd", xd, "[-u] [-r] [-s] [-a{odx}] [-c|{b1w2l4v8}{odx}] ... file ...", "bytes as numbers"],
];

/** All commands, by name. */
export const commands: readonly Command[] = ROWS.map(([name, main, usage, brief]) => ({
  name,
  main,
  usage,
  brief,
}));
