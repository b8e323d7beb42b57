// Error strings that mean the same from each call: why the call fails, and what would mend it. Strings that need more of
// the call have functions in failure.ts. Of "bad arg in system call" the sentence says which value it is, and what the
// call takes instead.

import * as c from "../../../kernel/abi/const.ts";
import { openmode } from "./callfmt.ts";
import type { Failing } from "./failing.ts";

/**
 * Error strings, or their ends; below each why the call fails, and what would mend it. A string that has several reasons
 * has the reason behind it, in brackets. What the letters stand for:
 *
 *	$S	what the call is about: its file or descriptor	$F	the call's file
 *	$H	the device or server that holds it	$D	the directory
 *	$N	the name that failed	$1 $2	the names that were given
 *	$C	the call's name	$M	its mode
 *	$U	the user who asked	$O	the owner
 *	$P	the number of the process	$A	a network address
 *	$W	the words of the error behind its colon
 */
export const PLAIN = `
permission denied (owner)
	$S is $O's, and only its owner changes its mode, group and times; $U asked
	have $O do it
permission denied (root)
	$S is the root of a tree, which is neither removed nor renamed
	give the name of a file below $S
permission denied (dots)
	each directory has "." and ".." already, and $N would be one more
	give another name
permission denied (uid)
	a wstat gives no file another owner, so $S keeps its own
	make the file as the user whose it is to be
permission denied (dmdir)
	the kind of $S cannot be changed, and DMDIR in its mode is its kind
	leave DMDIR in the mode as stat $S gives it
permission denied (emptied)
	$S is there and is a directory, and create would empty it, which is done to files only
	open it with OREAD to list it; OEXCL has create fail with "file already exists"
permission denied (device create)
	$H makes its files itself, and lets no program make $S
	create it in a directory of the memory tree or of a server, such as /tmp
permission denied (device remove)
	$S is in $H, whose files come and go with what they stand for
	leave it: it cannot be removed by its name
permission denied (device open)
	$S is in $H, which does not let it be opened $M
	stat $S shows what its mode allows
permission denied (device else)
	$S is in $H, which gives its files their names and modes itself
	leave that $C out
file is a directory (read)
	$S is a directory, and its contents are its files
	create a file in it and write to that
seek on a stream (pipe)
	$S is a pipe, which gives its bytes once, in their order
	read on; a file has an offset
seek on a stream (OSTREAM)
	$S is a stream (OSTREAM), which is read or written from its beginning to its end
	open it without OSTREAM to seek
read or write too large (note)
	a note has at most 127 bytes, and this one is longer
	post a shorter note
read or write too large (file)
	$S would get longer than a file may be, or more is asked for than one call moves
	move less at once
i/o on hungup channel (pipe)
	No process holds the other end of the pipe $F open any more
	keep the reader's end open while there is something to write
i/o on hungup channel (device)
	the other end of the connection under $S has closed it, or the link is cut
	make the connection again
interrupted (no note)
	process $P was interrupted in $C: what had asked for it was given up
	make the call again if it is still wanted
dns: name does not exist
	the network of $S has no machine of that name
	give a machine that is there; --host NAME:rtt=50ms makes one
mounted directory forbids creation
	$D is a union, and none of its members was bound or mounted with leave to create (MCREATE)
	bind or mount a member of $D again with MCREATE (bind -c, mount -c), or create the file under the member's own name
not mounted
	nothing is mounted on $2 in this name space
	cat /proc/$P/ns lists what is mounted, and where
not in union
	$1 is none of the members of $2
	cat /proc/$P/ns lists the members; unmount without a first name takes all of them off
bad character in file name:
	"$W", the new name of $S, has a '/' or a control character in it
	give one element of a name: a rename keeps the file in its directory
srv file already exists
	A server is posted as $S already
	remove $S, or post it under another name
file exists
	the directory of $S has a file of the new name already
	remove that file first, or give another name
exclusive use file already open
	$S is of exclusive use (DMEXCL): one descriptor at a time may have it open, and another does
	open it when that descriptor is closed
no living children
	process $P has no child that lives, and none whose end it has not been told of
	make a child first: rfork with RFPROC, and without RFNOWAIT
create without DMDIR
	$S ends in '/', or is dot or the root of a device, so only a directory can be made of that name
	leave out the '/' to make a file, or give DMDIR (mkdir) to make a directory
can't change owner
	$H gives no file another owner, $S neither
	make the file as the user whose it is to be
cannot exec directory
	$S is a directory, and exec needs a program's file
	give a program in $S
exec header invalid
	$S is a file, but no program of this kernel, and it begins with no #! of a script
	give the file of a program, or begin the script with #!/bin/rc
empty file name
	the name is "", and a name has at least one letter
	give '.' for the directory that the process is in
bad character in file name
	$S has a control character in it
	leave out the control characters
name too long
	$S has an element that no directory entry has room for
	give shorter names
file name syntax
	$S is no name for $H: it is too long, or has a '/' or a letter that a file may not have
	give a shorter name of plain letters
unknown device in # filename
	this kernel has no device of the character in $S
	cat /dev/drivers lists the devices
bad attach specifier
	$H has no tree of the name that $S asks for
	leave the specifier out, or give one that the server has
no free file descriptors
	process has as many descriptors open as it may, at $S
	close descriptors that are not needed any more
seek in directory
	$S is a directory, of which only the beginning can be sought
	seek to 0 and read it again
negative i/o offset
	the place asked for in $S is before its first byte
	give an offset of 0 or more
i/o count too small
	the buffer for $S has no room for one whole entry
	give a buffer of at least 8192 bytes
stat buffer too small
	the buffer has no room for the entry of $S
	give a bigger buffer
malformed stat buffer
	the bytes given for $S are no directory entry
	make them with convD2M, or give wstat the fields by name
read or write too small
	$S moves whole records only, and less was asked for
	read or write at least one record
short write
	$H took fewer bytes for $S than it was sent
	write the rest again from where it stopped
file system full
	$H has no room left for $S
	remove files there, or boot it with more room
i/o error
	$H could not read or write the medium of $S
	look at the server's own messages; the data may be lost
already open
	$S may be open only once at a time
	close the descriptor that has it open
device shut down
	$H has closed $S, or nothing is behind that name yet
	start what serves it, then make the call again
device or object already in use
	$S is in use by another process, and has one user at a time
	wait until that process has closed it
no free procs
	$S: there are as many processes as there may be
	wait for children, or raise the limit: --procs
note not posted
	the process of $S has as many notes waiting as it may
	post the note again when one was handled
call to noted() when not notified
	$S: no note is being handled
	call noted only in the handler that notify has set
no free environment resources
	the environment of $S is full
	remove variables, or make them shorter
bad process or channel control request
	$S takes no such control message
	write a control message that it takes: proc(3) lists them
profile is off
	No profile of $S is made
	write profile to its ctl file first
posted fd has remove-on-close or close-on-exec
	$S would be removed or closed by itself, so it is no descriptor to post
	open it without ORCLOSE and OCEXEC
cannot post auth file in srv
	$S is an authentication file, which is one user's own
	post the connection, not the file of its proof
invalid capability
	$S was given a capability that was not made, or was used already
	have /dev/caphash told of it first
bad time control
	$S was given what is no time
	cons(3) says what it takes
empty control message
	$S was written nothing
	write one control message
unknown control message
	$S knows no such control message
	its manual page lists them
unknown control request
	$S knows no such control message
	ip(3) lists them
short control request
	$S was written nothing
	write one control message; ip(3) lists them
wrong #args in control message
	$S was given too many or too few words for that control message
	its manual page says how many
jmk added reentrancy for threads
	$S is a file of which a process reads nothing
	read another file of that directory
connection refused
	the machine is there, but no process announces $A
	start the server there first: it announces tcp!*!PORT
connection timed out
	No answer came to the call of $A: the machine is away, or the link is cut
	see that the machine is up and its link is whole, then dial again
no route
	No link leads from this machine to that of $A
	--host NAME:rtt=50ms makes a machine with a link to this one
can't translate service
	$S names a service that has no port number
	give the port's number: tcp!host!564
no port specified
	$S names a machine and no port
	give both: tcp!host!564
bad network address
	$S is no address
	an address is net!host!port: tcp!host!564
malformed address
	$S is no address
	an address is net!host!port: tcp!host!564
not a local IP address
	$S names an address that is another machine's
	announce on *, or on an address of this machine
bad args to announce
	$S was given no address to announce
	write announce and the port: announce 564
bad args to connect
	$S was given no address to connect to
	write connect and the address: connect 10.0.0.2!564
address in use
	Another process announces $A
	announce another port, or end that process
connection in use
	$S is connected already
	open clone again for another connection
not connected
	$S is a conversation that was not connected yet
	write connect to its ctl file first
not announced
	$S listens only after an announce
	write announce to its ctl file first
listen hungup
	$S: the announcement was ended while the call waited for a caller
	announce again
no free devices
	$S has as many conversations as there may be
	close conversations that are not needed any more
bad iounit in version call
	$S: the message size is too small for one 9P message
	give an msize of at least 256 bytes, or 0 for the kernel's own
bad 9P version specification
	$S: both ends speak no version in common
	ask for 9P2000
bad fversion conversion on reply
	what came back from $S is no Rversion
	see that a 9P server is at the other end
EOF receiving fversion reply
	the other end of $S was closed before it said its version
	see that a 9P server is at the other end
mount rpc error
	$H answered with a message that does not fit the request for $S
	the server breaks the protocol: intro(5)
duplicate tag
	$H was asked twice under one tag for $S
	the client breaks the protocol: intro(5)
unknown fid
	$H does not know the number that the request names the file by
	the walk that was to make that number failed; its answer says why
`;

/** Why, and what would mend it. */
type Bad = readonly [why: string, mend: string];

/** Flags of rfork that say both to copy a group and to begin with an empty one. */
const BOTH: readonly (readonly [number, string])[] = [
  [c.RFFDG | c.RFCFDG, "RFFDG copies the descriptors and RFCFDG clears them"],
  [c.RFNAMEG | c.RFCNAMEG, "RFNAMEG copies the name space and RFCNAMEG clears it"],
  [c.RFENVG | c.RFCENVG, "RFENVG copies the environment and RFCENVG clears it"],
];

export function badarg(f: Failing, subject: string): Bad {
  const [, second, third] = f.call.args;
  switch (f.call.name) {
    case "rfork":
      return rflags(f);
    case "seek":
      return [
        `whence is ${String(third)}, and seek knows 0, 1 and 2`,
        "give 0 (from the beginning), 1 (from the offset) or 2 (from the end)",
      ];
    case "open":
    case "create":
      return mode(f, Number(second), subject);
    case "bind":
    case "mount":
      return [
        `the flags of ${f.call.text} are no order, or have a bit that is no flag`,
        "give MREPL, MBEFORE or MAFTER, and with it only MCREATE or MCACHE",
      ];
    case "write":
    case "pwrite":
      return [
        `what ${f.call.text} writes is nothing that ${subject} takes`,
        f.call.file?.endsWith("/noteid") === true
          ? "write the number of a note group that there is"
          : "read the file: it shows the form of what it takes",
      ];
    case "noted":
      return [`${String(f.call.args[0])} is no end of a handler`, "give NCONT or NDFLT"];
    default:
      return [
        `A value in ${f.call.text} is none that ${f.call.name} takes`,
        `look up what it takes: namec glossary ${f.call.name}`,
      ];
  }
}

function mode(f: Failing, bits: number, subject: string): Bad {
  const { name } = f.call;
  if (name === "open" && (bits & c.OEXCL) !== 0)
    return ["OEXCL is a flag of create only", "leave OEXCL out, or call create"];
  if ((bits & ~(3 | c.OTRUNC | c.OCEXEC | c.ORCLOSE | c.OEXCL | c.OSTREAM)) === 0)
    return [`${subject} cannot be opened ${openmode(bits)}`, "open it with OREAD"];
  return [
    `${openmode(bits)} has a bit that is no flag of ${name}`,
    "give OREAD, OWRITE, ORDWR or OEXEC, and with it only OTRUNC, OCEXEC, ORCLOSE, OEXCL or OSTREAM",
  ];
}

function rflags(f: Failing): Bad {
  const flags = Number(f.call.args[0]);
  const both = BOTH.find(([bits]) => (flags & bits) === bits);
  if (both !== undefined) return [both[1], "give one of the two"];
  if ((flags & c.RFPROC) === 0 && (flags & (c.RFMEM | c.RFNOWAIT)) !== 0)
    return [
      "RFMEM and RFNOWAIT are about a child, and without RFPROC there is none",
      "give RFPROC with them, to make a child",
    ];
  return [
    `${f.call.text} has a bit that is no flag of rfork`,
    "give the RF flags only: namec glossary rfork",
  ];
}
