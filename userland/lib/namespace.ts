// The file /lib/namespace: what a name space is made of when it is made afresh. namespace(6)

export const NAMESPACE = `# the tree in memory, and the devices in their places
bind -c '#R' /
bind '#R/bin' /bin
bind -a '#c' /dev
bind '#d' /fd
bind -c '#e' /env
bind '#p' /proc
bind -c '#s' /srv
bind '#I' /net
`;
