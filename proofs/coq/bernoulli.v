(* Corollary A2, the survival factor (1-e)^n after n layers of noise e:
   Bernoulli's line below it and the exponential above it. *)

Require Import Reals Lra Psatz.
Open Scope R_scope.

Theorem bernoulli : forall (e : R) (n : nat),
  0 <= e <= 1 -> 1 - INR n * e <= (1 - e) ^ n.
Proof.
  intros e n [H0 H1]. induction n as [| n IH]; [simpl; lra |].
  rewrite S_INR. simpl.
  assert (0 <= (1 - e) ^ n) by (apply pow_le; lra).
  assert (0 <= INR n) by apply pos_INR. nra.
Qed.

Theorem survival_below_exponential : forall (e : R) (n : nat),
  0 <= e <= 1 -> (1 - e) ^ n <= exp (- (INR n * e)).
Proof.
  intros e n [H0 H1]. induction n as [| n IH].
  { simpl. rewrite Rmult_0_l, Ropp_0, exp_0. lra. }
  rewrite S_INR. simpl.
  replace (- ((INR n + 1) * e)) with (- e + - (INR n * e)) by ring.
  rewrite exp_plus. pose proof (exp_ineq1_le (- e)).
  apply Rmult_le_compat; try lra. apply pow_le; lra.
Qed.
