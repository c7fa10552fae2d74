# SPDX-License-Identifier: MIT
# Every redirection of the shell, on files, descriptors and here-documents.
D=/tmp/redir.$$; mkdir $D && cd $D || exit 1
echo first > f; echo second >> f; cat < f
echo to-stderr >&2 2>err; cat err 2>/dev/null; rm -f err
ls /no/such/dir 2> err || echo "ls failed"; grep -c 'No such file' err
{ echo a; echo b; } > both; wc -l < both
exec 3> three; echo via-3 >&3; exec 3>&-; cat three
exec 4< f; read line <&4; echo "read: $line"; read line <&4; echo "read: $line"; exec 4<&-
cat <<END
expanded: $((6 * 7)) $(echo sub)
END
cat <<'END'
literal: $((6 * 7)) $(echo sub)
END
cat <<-END
	tabs are removed
	END
(cat; echo after) <<END
in a subshell
END
echo rw > rw; exec 5<> rw; read x <&5; echo "got $x"; echo more >&5; exec 5>&-; cat rw
set -C; (echo clobber > f) 2>/dev/null || echo "noclobber"; echo forced >| f; cat f; set +C
: > empty; test -s empty || echo "empty is empty"
cd /; rm -r $D
