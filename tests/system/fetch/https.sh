#!/usr/bin/env bash
# https.sh - git http-backend behind a TLS server: certificates, tokens, redirects
# shellcheck source=tests/system/fetch/lib.sh
. "$(dirname "$0")/lib.sh"
need lighttpd lighttpd
need openssl openssl
PATH=$PATH:/usr/sbin:/sbin
backend=$(git --exec-path)/git-http-backend
[ -x "$backend" ] || skip "$backend is not here"

token=a-secret-token
new_repository sample
commit file text
mkdir "$scratch/git/private"
git clone -q --bare "$bare" "$scratch/git/private/sample"

# certificate NAME SUBJECT-ALTERNATIVE-NAME: NAME.pem is key and certificate, signed by itself
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$1" \
        -addext "subjectAltName=$2" -keyout "$scratch/$1.key" -out "$scratch/$1.crt" 2>/dev/null
    cat "$scratch/$1.key" "$scratch/$1.crt" >"$scratch/$1.pem"
}
certificate good DNS:localhost
certificate other DNS:other.example

printf 'user:%s\n' "$token" >"$scratch/passwords"
# lighttpd_for PEM: the configuration of a server with this certificate; without one it speaks plain http
lighttpd_for() {
    cat <<EOF
server.document-root = "$scratch"
server.bind = "127.0.0.1"
server.port = @PORT@
server.systemd-socket-activation = "enable"
server.errorlog = "$scratch/servers.log"
server.modules = ("mod_setenv", "mod_alias", "mod_auth", "mod_authn_file", "mod_redirect", "mod_cgi")
setenv.set-environment = ("GIT_PROJECT_ROOT" => "$scratch/git", "GIT_HTTP_EXPORT_ALL" => "1", "HOME" => "$HOME")
auth.backend = "plain"
auth.backend.plain.userfile = "$scratch/passwords"
url.redirect = ("^/away/(.*)" => "https://127.0.0.1:@PORT@/git/\$1", "^/moved/(.*)" => "https://localhost:@PORT@/git/\$1",
    "^/plain/(.*)" => "http://localhost:@PORT@/git/\$1", "^/loop/(.*)" => "https://localhost:@PORT@/loop/\$1",
    "^/hop/(.*)" => "https://localhost:$far/git/\$1")
\$HTTP["url"] =~ "^/git/private/" {
    auth.require = ("" => ("method" => "basic", "realm" => "test", "require" => "valid-user"))
}
\$HTTP["url"] =~ "^/git/" {
    alias.url = ("/git" => "$backend")
    cgi.assign = ("" => "")
}
EOF
    [ -z "$1" ] || printf 'server.modules += ("mod_openssl")\nssl.engine = "enable"\nssl.pemfile = "%s"\n' "$1"
}

# serve_http NAME PEM
serve_http() {
    lighttpd_for "$2" >"$scratch/$1.template"
    # shellcheck disable=SC2016
    serve pass sh -c 'sed "s/@PORT@/$PORT/g" "$0.template" >"$0.conf" && exec lighttpd -D -f "$0.conf"' "$scratch/$1"
}
far=1
serve_http far "$scratch/good.pem"
far=$port
serve_http tls "$scratch/good.pem"
tls=$port
url=https://localhost:$tls/git/sample

# --- certificates
fetch --url "$url" --ca "$scratch/good.crt"
works "https, with a certificate that is trusted"
same "the content is there" text "$(cat "$(field path)/file")"
fetch --url "$url" --refresh
refused "a certificate that is signed by nobody known" 77 UNAUTHENTICATED "certificate of 'localhost'" --ca
fetch --url "https://127.0.0.1:$tls/git/sample" --ca "$scratch/good.crt"
refused "a certificate of another host" 77 UNAUTHENTICATED "certificate of '127.0.0.1'"
fetch --url "$url" --ca "$scratch/other.crt"
refused "a certificate of another authority" 77 UNAUTHENTICATED "certificate"
GIT_SSL_NO_VERIFY=1 fetch --url "$url"
refused "the same, though the environment says not to look" 77 UNAUTHENTICATED "certificate"
fetch --url "$url" --ca "$scratch/nowhere"
refused "certificates that are not there" 78 FAILED_PRECONDITION --ca "$scratch/nowhere"
fetch --url "$url" --ca "$scratch/git/sample/config"
refused "certificates that are none" 78 FAILED_PRECONDITION --ca

# --- somebody's configuration of git
printf '[url "https://localhost:1/"]\n insteadOf = https://localhost:%s/\n[http]\n sslVerify = false\n' "$tls" >>"$HOME/.gitconfig"
fetch --url "$url" --ca "$scratch/good.crt"
done_with "insteadOf in the user's configuration has no say"
fetch --url "https://localhost:$tls/git/nowhere"
refused "nor has sslVerify" 77 UNAUTHENTICATED certificate
fetch --url "https://localhost:$tls/git/nowhere" --ca "$scratch/good.crt"
refused "a repository that is not there" 78 NOT_FOUND

# --- tokens
url=https://localhost:$tls/git/private/sample
fetch --url "$url" --ca "$scratch/good.crt"
refused "no token" 77 UNAUTHENTICATED "wants credentials" --token-file
printf 'user:%s\n' "$token" >"$scratch/token"
fetch --url "$url" --ca "$scratch/good.crt" --token-file "$scratch/token"
done_with "the right token"
printf '%s' "$token" >"$scratch/token"
fetch --url "https://user@localhost:$tls/git/private/sample" --ca "$scratch/good.crt" --token-file "$scratch/token"
done_with "a token alone, the user in the URL"
same "the user is not shown" "https://***@localhost:$tls/git/private/sample" "$(field url)"
printf 'user:wrong-token\n' >"$scratch/token"
fetch --url "$url" --ca "$scratch/good.crt" --token-file "$scratch/token" --refresh
refused "a wrong token: the server is not asked without end" 77 UNAUTHENTICATED "refuses the token"
case $out in *wrong-token*) fail "the token is shown" ;; esac
fetch --url "$url" --ca "$scratch/good.crt" --token-file "$scratch/nowhere"
refused "a token file that is not there" 78 FAILED_PRECONDITION --token-file
printf 'machine localhost\nlogin user\npassword "%s"\n' "$token" >"$HOME/.netrc"
fetch --url "$url" --ca "$scratch/good.crt" --refresh
done_with "a token from netrc"
same "tokens are in no file of the store" "" "$(grep -rlF "$token" "$store" || true)"

# --- redirects
fetch --url "https://localhost:$tls/moved/sample" --ca "$scratch/good.crt"
done_with "a redirect on the same host"
fetch --url "https://localhost:$tls/away/sample" --ca "$scratch/good.crt"
refused "a redirect to another host" 78 FAILED_PRECONDITION "cannot redirect from 'localhost' to '127.0.0.1'"
fetch --url "https://localhost:$tls/plain/sample" --ca "$scratch/good.crt"
refused "a redirect to plain http" 78 FAILED_PRECONDITION "cannot redirect"
fetch --url "https://localhost:$tls/loop/sample" --ca "$scratch/good.crt"
refused "a redirect without end" 78 FAILED_PRECONDITION "too many redirects"

# The token of netrc is for this host; who redirects must not choose which of its servers gets it.
fetch --url "https://localhost:$tls/hop/sample" --ca "$scratch/good.crt"
done_with "a redirect to another server of the same host"
fetch --url "https://localhost:$tls/hop/private/sample" --ca "$scratch/good.crt"
refused "the same, when that one asks for credentials" 77 UNAUTHENTICATED "another server"

# --- plain http, on this machine only
serve_http plain ""
fetch --url "http://localhost:$port/git/sample"
done_with "http on this machine"
fetch --url "http://localhost:$port/git/sample" --allow https,ssh
refused "http that is not allowed" 77 PERMISSION_DENIED http
# Plain words on a port where TLS is expected.
fetch --url "https://localhost:$port/git/sample" --ca "$scratch/good.crt"
refused "a server that does not speak TLS" 75 UNAVAILABLE
finish
