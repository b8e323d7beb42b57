// The commands that every rc begins with: defaults, functions of the environment, then -c's argument, the file,
// or the lines that are typed.

export const RCMAIN = `if(~ $#home 0) home=/
if(~ $#ifs 0) ifs=' \t
'
switch($#prompt){
case 0
	prompt=('% ' '\t')
case 1
	prompt=($prompt '\t')
}
if(~ $rcname ?.out) prompt=('broken! ' '\t')
if(flag p) path=/bin
if not{
	finit
	if(~ $#path 0) path=(. /bin)
}
fn sigexit
if(! ~ $#cflag 0){
	if(flag l && test -r $home/lib/profile) . $home/lib/profile
	status=''
	eval $cflag
	exit $status
}
if(flag i){
	if(flag l && test -r $home/lib/profile) . $home/lib/profile
	status=''
	if(! ~ $#* 0) . $*
	. -i '#d/0'
	exit $status
}
if(flag l && test -r $home/lib/profile) . $home/lib/profile
if(~ $#* 0){
	. '#d/0'
	exit $status
}
status=''
. $*
exit $status
`;
