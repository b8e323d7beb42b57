// rc: the command language. rc(1)
//
//	rc [-SsrdiIlxepvV] [-c command] [-m initial] [file [arg ...]]

export { rc as default } from "../lib/rc/main.ts";
