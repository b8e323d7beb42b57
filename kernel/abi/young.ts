// V8 puts a function that is assigned to a property straight among its old objects, as the methods of a prototype
// are. What such a function refers to then lives until all memory is looked through: a whole kernel, for example. A
// generator function that is made for each call keeps its memory as long, since V8 makes an old object for it when it
// is first called: such a function is a method, or stands by itself.

/** The function as it is, made among the young objects: for one that is kept in a property of what may soon be gone. */
export const young = <T>(fn: T): T => fn;
